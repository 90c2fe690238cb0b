using System.Diagnostics;
using System.IO.Hashing;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Tests;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Execution;

/// <summary>Whatever a killed run leaves, at whichever step, the next one ends with the right bytes.</summary>
public class LeftoverTests
{
    private static readonly Recipe Merge = new Ties { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")], MaxShardSize = 150_000 };
    private static readonly Recipe Other = new Average { Base = Folder("base"), Experts = Merge.Experts, MaxShardSize = 150_000 };

    [Fact]
    public void Headers_and_index_that_were_not_written_are_written_by_the_next_run()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var whole = folder.Merge(Merge, "whole");
        var expected = Files(whole);
        var work = LeaveUnfinished(folder, Merge, "out");
        foreach (var weights in Directory.GetFiles(work, "*.safetensors"))
        {
            using var file = File.OpenWrite(weights);
            file.Write(new byte[64]);
        }

        File.Delete(Path.Combine(work, ShardLayout.IndexName));
        File.WriteAllText(Path.Combine(work, "chat_template.jinja"), "of a model that has none any more");
        Assert.Equal(expected, Files(folder.Merge(Merge, "out")));
    }

    [Fact]
    public void An_unfinished_output_of_another_recipe_is_made_anew()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = Files(folder.Merge(Merge, "whole"));
        LeaveUnfinished(folder, Other, "out");
        Assert.Equal(expected, Files(folder.Merge(Merge, "out")));
        AssertNothingHidden(folder);
    }

    [Fact]
    public void A_mask_that_was_damaged_or_lost_after_a_stop_is_made_again()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var emr = new Emr { Base = Folder("base"), Experts = Merge.Experts };
        var expected = Files(folder.Merge(emr, "whole"));
        var work = LeaveUnfinished(folder, emr, "out");
        var mask = Path.Combine(work, "masks", "e2.safetensors");
        var bytes = File.ReadAllBytes(mask);
        bytes[^1] ^= 1;
        bytes[0] = 0;
        File.WriteAllBytes(mask, bytes);
        Assert.Equal(expected, Files(folder.Merge(emr, "out")));

        work = LeaveUnfinished(folder, emr, "again");
        Directory.Delete(Path.Combine(work, "masks"), recursive: true);
        Assert.Equal(expected, Files(folder.Merge(emr, "again")));
        AssertNothingHidden(folder);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_output_that_was_being_replaced_comes_back_or_is_replaced(bool force)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var before = Files(folder.Merge(Other, "before"));
        var after = Files(folder.Merge(Merge, "after"));

        // Killed between the two renames of the commit.
        folder.Merge(Other, "replaced");
        LeaveUnfinished(folder, Merge, "out");
        Directory.Move(Path.Combine(folder.Path, "replaced"), Path.Combine(folder.Path, ".out.smelt.replaced"));
        if (force)
        {
            Assert.Equal(after, Files(folder.Merge(Merge, "out", force: true)));
            AssertNothingHidden(folder);
        }
        else
        {
            Assert.Equal("SM7008", Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out")).Problems).Id);
            Assert.Equal(before, Files(Path.Combine(folder.Path, "out")));
        }
    }

    [Fact]
    public void An_output_that_was_being_replaced_comes_back_into_an_empty_folder_of_its_name()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var before = Files(folder.Merge(Other, "out"));
        Directory.Move(Path.Combine(folder.Path, "out"), Path.Combine(folder.Path, ".out.smelt.replaced"));
        Directory.CreateDirectory(Path.Combine(folder.Path, "out"));
        Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out"));
        Assert.Equal(before, Files(Path.Combine(folder.Path, "out")));
    }

    [Fact]
    public void No_part_of_an_output_that_was_replaced_comes_back()
    {
        // Killed while the old output was taken apart; the user then takes the new one away.
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = Files(folder.Merge(Merge, "whole"));
        var garbage = Path.Combine(folder.Path, ".out.smelt.garbage");
        Directory.Move(folder.Merge(Other, "old"), garbage);
        File.Delete(Path.Combine(garbage, "config.json"));
        Assert.Equal(expected, Files(folder.Merge(Merge, "out")));
        AssertNothingHidden(folder);
    }

    [Fact]
    public void A_folder_that_appears_in_the_place_of_the_output_costs_no_finished_work()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = Files(folder.Merge(Merge, "whole"));
        using (var work = WorkFolder.Open(Path.Combine(folder.Path, "out"), force: false))
        {
            var mine = Path.Combine(folder.Path, "out", "mine.txt");
            Directory.CreateDirectory(Path.GetDirectoryName(mine)!);
            File.WriteAllText(mine, "");
            var options = new MergeOptions { Output = Path.Combine(folder.Path, "out"), Durable = false };
            var plan = folder.Plan(Merge);
            Assert.Equal("SM7008", Assert.Single(Assert.Throws<InvalidInputException>(() => MergeExecutor.Run(plan, options, work, new ProgressCounter(), CancellationToken.None)).Problems).Id);
            Directory.Delete(Path.GetDirectoryName(mine)!, recursive: true);
        }

        var result = MergeExecutor.Run(folder.Plan(Merge), new MergeOptions { Output = Path.Combine(folder.Path, "out"), Durable = false }, new ProgressCounter(), CancellationToken.None);
        Assert.Equal(new BlockMap(folder.Plan(Merge).Tensors).Count, result.ResumedBlocks);
        Assert.Equal(expected, Files(Path.Combine(folder.Path, "out")));
        AssertNothingHidden(folder);
    }

    [Fact]
    public void What_an_interrupted_run_finished_counts_as_free_and_no_more()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var plan = folder.Plan(Merge);
        var options = new MergeOptions { Output = Path.Combine(folder.Path, "out") };
        var work = LeaveUnfinished(folder, Merge, "out");
        var larger = plan with { BytesToWrite = DiskSpace.Free(folder.Path)!.Value / 2 * 3 };
        DiskSpace.Check(larger, options);

        // The files have their full size, but the journal lists a third of their blocks.
        var journal = work + ".journal";
        File.WriteAllBytes(journal, File.ReadAllBytes(journal)[..(int)(new FileInfo(journal).Length / 4)]);
        Assert.Equal("SM7006", Assert.Single(Assert.Throws<InvalidInputException>(() => DiskSpace.Check(larger, options)).Problems).Id);
    }

    [Fact]
    public void A_config_that_is_no_JSON_is_told_before_anything_is_merged()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var config = Path.Combine(folder.Path, "base", "config.json");
        File.WriteAllText(config, "version https://git-lfs.github.com/spec/v1");
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Plan(Merge)).Problems);
        Assert.Equal(("SM6012", config), (problem.Id, problem.Where));
    }

    [Fact]
    public void What_a_kill_after_the_commit_leaves_is_gone_after_the_next_run()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = Files(folder.Merge(Merge, "out"));
        folder.Merge(Other, "replaced");
        Directory.Move(Path.Combine(folder.Path, "replaced"), Path.Combine(folder.Path, ".out.smelt.replaced"));
        WriteJournal(folder.Plan(Merge), Path.Combine(folder.Path, ".out.smelt.journal"), Path.Combine(folder.Path, "out"));
        File.WriteAllText(Path.Combine(folder.Path, ".out.smelt.lock"), "");
        Assert.Equal(expected, Files(folder.Merge(Merge, "out", force: true)));
        AssertNothingHidden(folder);
    }

    [Fact]
    public void A_link_in_the_place_of_the_output_is_replaced_and_what_it_leads_to_stays()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var elsewhere = folder.Merge(Other, "elsewhere");
        var before = Files(elsewhere);
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "out"), elsewhere);
        Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out"));
        folder.Merge(Merge, "out", force: true);
        Assert.Equal(before, Files(elsewhere));
        Assert.Null(new DirectoryInfo(Path.Combine(folder.Path, "out")).LinkTarget);
        AssertNothingHidden(folder);
    }

    [Fact]
    public void An_input_that_was_written_to_during_the_merge_refuses_the_output()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = Files(folder.Merge(Merge, "whole"));
        var plan = folder.Plan(Merge);
        var weights = Path.Combine(folder.Path, "e2", "model.safetensors");
        File.SetLastWriteTimeUtc(weights, File.GetLastWriteTimeUtc(weights).AddSeconds(1));
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => Run(folder, plan)).Problems);
        Assert.Equal(("SM6010", weights), (problem.Id, problem.Where));
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "out")));
        AssertNothingHidden(folder);
        Assert.Equal(expected, Files(folder.Merge(Merge, "out")));
    }

    [Fact]
    public void An_input_that_was_cut_off_and_restored_gives_the_right_bytes()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = Files(folder.Merge(Merge, "whole"));
        var weights = Path.Combine(folder.Path, "e2", "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        var plan = folder.Plan(Merge);
        File.WriteAllBytes(weights, bytes[..(bytes.Length / 2)]);
        Assert.Contains(weights, Assert.Throws<CheckpointReadException>(() => Run(folder, plan)).Message, StringComparison.Ordinal);
        Assert.Equal("SM6003", Assert.Single(Assert.Throws<InvalidInputException>(() => folder.Merge(Merge, "out")).Problems).Id);
        File.WriteAllBytes(weights, bytes);
        Assert.Equal(expected, Files(folder.Merge(Merge, "out")));
        AssertNothingHidden(folder);
    }

    [Fact]
    public void Finished_blocks_are_not_taken_over_from_other_masks()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var masks = Path.Combine(folder.Path, "masks.safetensors");
        var recipe = new DareTies { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2")], MaskFile = "masks.safetensors", Density = 0.5 };
        WriteMasks(masks, 2);
        var two = Files(folder.Merge(recipe, "two"));
        WriteMasks(masks, 3);
        var expected = Files(folder.Merge(recipe, "three"));
        Assert.NotEqual(two["model.safetensors"], expected["model.safetensors"]);

        WriteMasks(masks, 2);
        LeaveUnfinished(folder, recipe, "out");
        WriteMasks(masks, 3);
        Assert.Equal(expected, Files(folder.Merge(recipe, "out")));

        var plan = folder.Plan(recipe);
        File.SetLastWriteTimeUtc(masks, File.GetLastWriteTimeUtc(masks).AddSeconds(1));
        Directory.Delete(Path.Combine(folder.Path, "out"), recursive: true);
        Assert.Equal(masks, Assert.Single(Assert.Throws<InvalidInputException>(() => Run(folder, plan)).Problems).Where);
    }

    [Fact]
    public void Finished_blocks_are_not_taken_over_from_other_statistics()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var recipe = new Fisher { Experts = [new(Folder("e1")) { Statistics = Folder("f1") }, new(Folder("e2")) { Statistics = Folder("f2") }] };
        LeaveUnfinished(folder, recipe, "out");
        folder.Write("f1", (_, i) => i % 3);
        var expected = Files(folder.Merge(recipe, "expected"));
        Assert.Equal(expected, Files(folder.Merge(recipe, "out")));

        var plan = folder.Plan(recipe);
        var statistics = Path.Combine(folder.Path, "f2", "model.safetensors");
        File.SetLastWriteTimeUtc(statistics, File.GetLastWriteTimeUtc(statistics).AddSeconds(1));
        Directory.Delete(Path.Combine(folder.Path, "out"), recursive: true);
        Assert.Equal(statistics, Assert.Single(Assert.Throws<InvalidInputException>(() => Run(folder, plan)).Problems).Where);
    }

    [MountFact]
    public void A_disk_that_fills_up_during_the_merge_keeps_what_is_finished()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = Files(folder.Merge(Merge, "whole"));
        var disk = Path.Combine(folder.Path, "disk");
        Directory.CreateDirectory(disk);
        Assert.True(Shell("mount", "-t", "tmpfs", "-o", "size=300k", "none", disk));
        try
        {
            Assert.Throws<IOException>(() => folder.Merge(Merge, "disk/out"));
            Assert.False(Directory.Exists(Path.Combine(disk, "out")));
            Assert.True(Shell("mount", "-o", "remount,size=8m", disk));
            Assert.Equal(expected, Files(folder.Merge(Merge, "disk/out")));
            Assert.Equal("out", Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(disk))));
        }
        finally
        {
            Shell("umount", disk);
        }
    }

    /// <summary>Runs a program that takes rights which a test run often has not; whether it worked.</summary>
    private static bool Shell(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static void Run(ModelFolder folder, MergePlan plan) =>
        MergeExecutor.Run(plan, new MergeOptions { Output = Path.Combine(folder.Path, "out"), Durable = false }, new ProgressCounter(), CancellationToken.None);

    /// <summary>What a run leaves that was killed when all weights were written: the work folder and the journal.</summary>
    private static string LeaveUnfinished(ModelFolder folder, Recipe recipe, string output)
    {
        var work = Path.Combine(folder.Path, $".{output}.smelt");
        Directory.Move(folder.Merge(recipe, output), work);
        WriteJournal(folder.Plan(recipe), work + ".journal", work);
        return work;
    }

    /// <summary>A journal that names every block of the output in the folder beside it as finished.</summary>
    internal static void WriteJournal(MergePlan plan, string path, string folder, int balance = 0, int zeroVotes = 0, Func<long, Smelt.Merging.Kernels.ZeroVote>? assumed = null)
    {
        var (journal, _) = Journal.Open(path, Journal.Fingerprint(plan), plan.Streams, plan.MostSources);
        using var files = new OutputFiles(plan, [folder]);
        var blocks = new BlockMap(plan.Tensors);
        for (var i = 0L; i < blocks.Count; i++)
            journal.Append(i, [.. Enumerable.Range(0, plan.Streams).Select(s => new BlockRecord(files.HashOf(s, blocks[i], new XxHash128(), new byte[4096]), balance, zeroVotes, assumed?.Invoke(i) ?? default))], new UInt128[plan.MostSources]);
        journal.Dispose();
    }

    /// <summary>Masks that drop one element in <paramref name="period"/> of the largest tensors, for two experts.</summary>
    private static void WriteMasks(string path, int period)
    {
        var tensors = (from expert in new[] { 0, 1 } from t in new[] { 8, 9 } select new LayoutTensor($"{expert}/t{t}.weight", TensorType.U8, [ModelFolder.Sizes[t]])).ToArray();
        var header = ShardLayout.Create(tensors, long.MaxValue).Files[0].Header;
        File.WriteAllBytes(path, [.. header.Span, .. tensors.SelectMany(t => Enumerable.Range(0, (int)t.ByteLength).Select(i => (byte)(i % period == 0 ? 0 : 1)))]);
    }

    /// <summary>The hash of each file but the manifest, whose hashes of inputs a made-up journal does not have.</summary>
    private static Dictionary<string, string> Files(string folder) =>
        Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != Manifest.FileName).ToDictionary(f => Path.GetRelativePath(folder, f), f => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f))));

    private static void AssertNothingHidden(ModelFolder folder) =>
        Assert.DoesNotContain(Directory.GetFileSystemEntries(folder.Path), e => Path.GetFileName(e).StartsWith('.'));
}
