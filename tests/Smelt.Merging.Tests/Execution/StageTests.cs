using Smelt.Merging.Execution;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Execution;

/// <summary>Recipes with stages keep the promises of those without.</summary>
public sealed class StageTests : IDisposable
{
    private static readonly Recipe First = new Average { Experts = [Folder("e1"), Folder("e2")] };
    private static readonly Recipe Staged = new Ties { Base = Folder("base"), Experts = [From(First, "mean"), Folder("e3")] };

    private readonly ModelFolder _folder = new();

    public StageTests() => _folder.WriteFamily();

    private string Stages => Path.Combine(_folder.Path, ".out.smelt.stages");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_second_run_is_refused_while_the_first_merges_a_stage_and_destroys_nothing()
    {
        var expected = ModelFolder.Bytes(_folder.Merge(Staged, "whole"));
        using (WorkFolder.Open(Path.Combine(_folder.Path, "out"), force: false))
        {
            StopAfterTheStage();
            var mark = Path.Combine(Stages, "of the other run");
            File.WriteAllText(mark, "");
            Assert.Contains("another run", Assert.Single(Assert.Throws<InvalidInputException>(() => _folder.Merge(Staged, "out")).Problems).Message, StringComparison.Ordinal);
            Assert.True(File.Exists(mark));
        }

        Assert.Equal(expected, ModelFolder.Bytes(_folder.Merge(Staged, "out")));
        AssertNothingHidden();
    }

    [Fact]
    public void A_finished_stage_is_used_again_unless_the_power_took_some_of_it()
    {
        var expected = ModelFolder.Bytes(_folder.Merge(Staged, "whole"));
        StopAfterTheStage();
        var weights = Path.Combine(Stages, "stage-1", "model.safetensors");
        var counter = new ProgressCounter();
        var plan = _folder.Plan(Staged);
        MergeExecutor.Run(plan, new MergeOptions { Output = Path.Combine(_folder.Path, "out"), Durable = false }, counter, CancellationToken.None);
        Assert.Equal(expected, ModelFolder.Bytes(Path.Combine(_folder.Path, "out")));
        Assert.InRange(counter.Moved, 1, plan.BytesToRead + plan.BytesToWrite + (plan.BytesPerPass / 2));

        Directory.Delete(Path.Combine(_folder.Path, "out"), recursive: true);
        StopAfterTheStage();
        using (var file = File.OpenWrite(weights))
        {
            file.Position = file.Length - 4096;
            file.Write(new byte[4096]);
        }

        Assert.Equal(expected, ModelFolder.Bytes(_folder.Merge(Staged, "out")));
        AssertNothingHidden();
    }

    [Fact]
    public void An_input_that_changes_between_a_stage_and_the_merge_is_refused()
    {
        var again = new Ties { Base = Folder("base"), Experts = [From(First, "mean"), Folder("e2")] };
        var plan = _folder.Plan(again);
        var weights = Path.Combine(_folder.Path, "e2", "model.safetensors");
        var counter = new ProgressCounter();
        var options = new MergeOptions { Output = Path.Combine(_folder.Path, "out"), Durable = false };
        var stage = plan.Stages[0].Plan;
        MergeExecutor.Run(stage, options with { Output = Path.Combine(Stages, "stage-1") }, counter, CancellationToken.None);
        File.WriteAllText(Path.Combine(Stages, "stage-1.done"), Convert.ToHexString(Journal.Fingerprint(stage)));
        File.SetLastWriteTimeUtc(weights, File.GetLastWriteTimeUtc(weights).AddSeconds(1));
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => MergeExecutor.Run(plan, options, counter, CancellationToken.None)).Problems);
        Assert.Equal(("SM6010", weights), (problem.Id, problem.Where));
        AssertNothingHidden();
    }

    [Fact]
    public void Memory_and_room_are_looked_at_for_all_stages_before_the_first()
    {
        var plan = _folder.Plan(Staged);
        var options = new MergeOptions { Output = Path.Combine(_folder.Path, "out"), MaxMemory = 1 << 20 };
        Assert.Equal("SM7007", Assert.Single(Assert.Throws<InvalidInputException>(() => MergeExecutor.Run(plan, options, new ProgressCounter(), CancellationToken.None)).Problems).Id);
        AssertNothingHidden();
        var free = DiskSpace.Free(_folder.Path)!.Value;
        var large = plan with { BytesToWrite = free / 2, Stages = [.. plan.Stages.Select(s => (s.Model, s.Plan with { BytesToWrite = free / 4 * 3 }))] };
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => DiskSpace.Check(large, options)).Problems);
        Assert.Equal("SM7006", problem.Id);
        Assert.Contains("with its stages", problem.Message, StringComparison.Ordinal);
    }

    /// <summary>Leaves what a run leaves that is killed between the stage and the merge of it.</summary>
    private void StopAfterTheStage()
    {
        var stage = Path.Combine(Stages, "stage-1");
        var plan = _folder.Plan(Staged).Stages[0].Plan;
        MergeExecutor.Run(plan, new MergeOptions { Output = stage, Durable = false }, new ProgressCounter(), CancellationToken.None);
        File.WriteAllText(stage + ".done", Convert.ToHexString(Journal.Fingerprint(plan)));
        Assert.True(StageRunner.IsFinished(stage, plan));
    }

    private void AssertNothingHidden() =>
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_folder.Path), e => Path.GetFileName(e).StartsWith('.'));
}
