using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Execution;

/// <summary>Nothing is lost, nothing half made is seen, and bad input is one clear message.</summary>
public class SafetyTests
{
    private static readonly Recipe Merge = new Ties { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")] };

    [Fact]
    public void An_output_that_exists_is_refused_and_replaced_only_by_force()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var output = folder.Merge(Merge, "out");
        var before = ModelFolder.Bytes(output);
        Assert.Equal("SM7008", Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out")).Problems).Id);
        Assert.Equal(before, ModelFolder.Bytes(output));
        folder.Merge(new Average { Base = Folder("base"), Experts = Merge.Experts }, "out", force: true);
        Assert.NotEqual(before, ModelFolder.Bytes(output));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(folder.Path), e => Path.GetFileName(e).StartsWith('.'));
    }

    [Fact]
    public void Force_replaces_only_what_Smelt_made()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        Directory.CreateDirectory(Path.Combine(folder.Path, "mine"));
        File.WriteAllText(Path.Combine(folder.Path, "mine", "thesis.txt"), "years");
        Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "mine", force: true));
        Assert.Equal("years", File.ReadAllText(Path.Combine(folder.Path, "mine", "thesis.txt")));

        // A file of the manifest's name makes no output, nor is what a user put into one.
        File.WriteAllText(Path.Combine(folder.Path, "mine", Manifest.FileName), "{}");
        Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "mine", force: true));
        Assert.Equal("years", File.ReadAllText(Path.Combine(folder.Path, "mine", "thesis.txt")));
        var results = Path.Combine(folder.Merge(Merge, "out"), "eval", "results.txt");
        Directory.CreateDirectory(Path.GetDirectoryName(results)!);
        File.WriteAllText(results, "years");
        Assert.Contains("eval/results.txt", Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out", force: true)).Problems).Message, StringComparison.Ordinal);
        Assert.Equal("years", File.ReadAllText(results));
        File.Delete(results);
        folder.Merge(Merge, "out", force: true);
    }

    [Fact]
    public void Force_replaces_no_folder_that_holds_an_input()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var models = Path.Combine(folder.Path, "models");
        Directory.CreateDirectory(models);
        Directory.Move(folder.Merge(Merge, "first"), Path.Combine(models, "first"));
        Directory.Move(folder.Merge(Merge, "second"), Path.Combine(models, "second"));
        var recipe = new Average { Experts = [Folder("models/first"), Folder("models/second")] };
        var before = ModelFolder.Bytes(Path.Combine(models, "second"));
        var staged = new Average { Experts = [From(recipe, "inner"), Folder("e1")] };
        foreach (var (merge, output) in new[] { (recipe, "models"), (recipe, "models/second"), (staged, "models/second") })
            Assert.Contains("inputs of this merge", Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Merge(merge, output, force: true)).Problems).Message, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateSymbolicLink(Path.Combine(folder.Path, "alias"), models);
            Assert.Throws<InvalidInputException>(() => folder.Merge(recipe, "alias/second", force: true));
        }

        Assert.Equal(before, ModelFolder.Bytes(Path.Combine(models, "second")));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(models), e => Path.GetFileName(e).StartsWith('.'));
    }

    [Fact]
    public void A_part_whose_tensors_are_all_of_other_types_has_no_threshold()
    {
        using var folder = new ModelFolder();
        foreach (var (model, value) in new[] { ("base", 1f), ("e1", 2f), ("e2", 4f) })
        {
            var layout = ShardLayout.Create([new LayoutTensor("w", TensorType.F32, [4]), new LayoutTensor("ids", TensorType.All["I64"], [2])], long.MaxValue);
            Directory.CreateDirectory(Path.Combine(folder.Path, model));
            File.WriteAllBytes(Path.Combine(folder.Path, model, "model.safetensors"), [.. layout.Files[0].Header.Span, .. Enumerable.Repeat(BitConverter.GetBytes(value), 4).SelectMany(b => b), .. new byte[16]]);
        }

        var experts = Sequence.From<Expert>([Folder("e1"), Folder("e2")]);
        var parts = new Modules { Parts = [new Part("w", new Average { Experts = experts }), new Part("**", new Ties { Base = Folder("base"), Experts = experts, Trim = TrimScope.Model })] };
        var weights = File.ReadAllBytes(Path.Combine(folder.Merge(parts, "parts"), "model.safetensors"));
        Assert.Equal(3f, BitConverter.ToSingle(weights, weights.Length - 32));

        File.Delete(Path.Combine(folder.Path, "e1", "model.safetensors"));
        foreach (var model in new[] { "base", "e1", "e2" })
        {
            var layout = ShardLayout.Create([new LayoutTensor("ids", TensorType.All["I64"], [2])], long.MaxValue);
            File.WriteAllBytes(Path.Combine(folder.Path, model, "model.safetensors"), [.. layout.Files[0].Header.Span, .. new byte[16]]);
        }

        Assert.Contains("type that can be merged", Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Plan(new Average { Experts = experts })).Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_that_a_message_asks_for_is_enough()
    {
        for (var bytes = 1L; bytes < 1L << 49; bytes = (bytes * 3) + 7)
            Assert.InRange(ByteSize.Parse(MemoryBudget.Enough(bytes).ToString()).Bytes, bytes, bytes + (bytes / 4) + 100);
    }

    [Fact]
    public void A_side_file_that_cannot_be_read_is_told_before_anything_is_merged()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var tokenizer = Path.Combine(folder.Path, "base", "tokenizer.json");
        File.CreateSymbolicLink(tokenizer, "nowhere");
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Plan(Merge)).Problems);
        Assert.Equal(("SM6011", tokenizer), (problem.Id, problem.Where));
    }

    [Fact]
    public void Nothing_is_written_through_links_at_the_places_that_a_merge_works_in()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var precious = Path.Combine(folder.Path, "precious");
        File.WriteAllText(precious, "years");
        foreach (var place in new[] { "", ".journal", ".lock", ".stages", ".replaced", ".garbage" })
        {
            var link = Path.Combine(folder.Path, ".out.smelt" + place);
            File.CreateSymbolicLink(link, precious);
            Assert.Equal(link, Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out")).Problems).Where);
            File.Delete(link);
        }

        Assert.Equal("years", File.ReadAllText(precious));
    }

    [Fact]
    public void A_stopped_merge_leaves_no_output_and_goes_on_to_the_same_bytes()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = ModelFolder.Bytes(folder.Merge(Merge, "whole"));
        var output = Path.Combine(folder.Path, "stopped");
        var options = new MergeOptions { Output = output, Threads = 1, Durable = false };
        using var stop = new CancellationTokenSource();
        var counter = new ProgressCounter();
        var watcher = new Thread(() =>
        {
            while (counter.Phase is not ("merging" or "finishing"))
                Thread.Yield();
            stop.Cancel();
        });
        watcher.Start();
        try
        {
            MergeExecutor.Run(folder.Plan(Merge), options, counter, stop.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.False(Directory.Exists(output));
            MergeExecutor.Run(folder.Plan(Merge), options, new ProgressCounter(), CancellationToken.None);
        }

        watcher.Join();
        Assert.Equal(expected, ModelFolder.Bytes(output));
    }

    [Fact]
    public void Finished_blocks_that_were_damaged_are_made_again()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var plan = folder.Plan(Merge);
        var expected = ModelFolder.Bytes(folder.Merge(Merge, "whole"));
        var output = Path.Combine(folder.Path, "out");

        // What a killed run leaves: all weights written, the journal beside them, nothing committed.
        folder.Merge(Merge, "out");
        var work = Path.Combine(folder.Path, ".out.smelt");
        var (journal, _) = Journal.Open(work + ".journal", Journal.Fingerprint(plan), 1, plan.MostSources);
        journal.Dispose();
        Directory.Move(output, work);
        var weights = Path.Combine(work, "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);

        folder.Merge(Merge, "out");
        Assert.Equal(expected, ModelFolder.Bytes(output));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_finite_is_refused_by_tensor_expert_and_index(float bad)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        folder.Write("e2", (t, i) => t == 8 && i == 65_536 ? bad : 0.01f);
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out")).Problems);
        Assert.Equal("SM7014", problem.Id);
        Assert.Contains("t8.weight", problem.Where, StringComparison.Ordinal);
        Assert.Contains("expert 1 (e2)", problem.Message, StringComparison.Ordinal);
        Assert.Contains("flat index 65536", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(folder.Path), e => Path.GetFileName(e).Contains("out", StringComparison.Ordinal));
        folder.Merge(Merge with { NonFinite = NonFinite.Propagate }, "out");
    }

    [Fact]
    public void All_problems_of_all_inputs_come_at_once_and_nothing_is_written()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        folder.Write("e2", (_, _) => 0, names: t => t == 3 ? "other.weight" : $"t{t}.weight");
        Directory.Delete(Path.Combine(folder.Path, "e3"), recursive: true);
        var missing = Assert.Throws<InvalidInputException>(() => folder.Plan(Merge));
        Assert.Equal(["SM6001"], missing.Problems.Select(p => p.Id));
        var differing = Assert.Throws<InvalidInputException>(() => folder.Plan(Merge with { Experts = [Folder("e1"), Folder("e2")] }));
        Assert.Equal(["SM7001", "SM7002"], differing.Problems.Select(p => p.Id).Order());
        Assert.Contains("t3.weight", differing.Message, StringComparison.Ordinal);
        Assert.Contains("other.weight", differing.Message, StringComparison.Ordinal);
        folder.Plan(Merge with { Experts = [Folder("e1"), Folder("e2")], Tensors = [Keep("t3.weight", "other.*")] });
    }

    [Fact]
    public void Too_little_memory_and_a_second_run_are_refused()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        Assert.Equal("SM7007", Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out", memory: 1 << 20)).Problems).Id);
        using (WorkFolder.Open(Path.Combine(folder.Path, "out"), force: false))
            Assert.Contains("another run", Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out")).Message, StringComparison.Ordinal);
        folder.Merge(Merge, "out");
    }

    [Fact]
    public void An_input_that_shrinks_is_an_error_and_no_crash()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var plan = folder.Plan(Merge);
        var weights = Path.Combine(folder.Path, "e1", "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..5000]);
        var failure = Assert.Throws<CheckpointReadException>(() => MergeExecutor.Run(plan, new MergeOptions { Output = Path.Combine(folder.Path, "out"), Durable = false }, new ProgressCounter(), CancellationToken.None));
        Assert.Contains("shorter than when it was planned", failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "out")));
    }
}
