using CsCheck;

namespace Smelt.Targets.Tests;

/// <summary>What runs, and in which order.</summary>
public sealed class OrderTests : IDisposable
{
    private readonly Run _run = new();

    public void Dispose() => _run.Dispose();

    private sealed class Relations : LoggedBuild
    {
        public Target Late => _ => _.After(Last).Executes(Note("late"));

        public Target Last => _ => _.DependsOn(Left, Right).Executes(Note("last"));

        public Target Right => _ => _.DependsOn(First).Before(Left).Executes(Note("right"));

        public Target Left => _ => _.DependsOn(First).Executes(Note("left"));

        public Target First => _ => _.Executes(Note("first"));

        public Target Always => _ => _.DependentFor(First).Executes(Note("always"));

        public Target Publish => _ => _.DependsOn(First).Triggers(Announce).Executes(Note("publish"));

        public Target Announce => _ => _.DependsOn(Left).Executes(Note("announce"));

        public Target Thank => _ => _.TriggeredBy(Publish).After(Announce).Executes(Note("thank"));
    }

    [Theory]
    [InlineData("First", "always first")]
    [InlineData("Last", "always first right left last")]
    [InlineData("Left Right", "always first right left")]
    [InlineData("left", "always first left")]
    [InlineData("Late", "late")]
    [InlineData("Late Last", "always first right left last late")]
    [InlineData("Publish", "always first publish left announce thank")]
    [InlineData("Announce", "always first left announce")]
    [InlineData("First First", "always first")]
    public void Targets_run_once_after_what_they_depend_on(string line, string ran)
    {
        var build = new Relations();
        Assert.Equal(0, _run.Build(build, line));
        Assert.Equal(ran, build.Ran);
    }

    [Fact]
    public void Default_targets_run_where_none_is_named()
    {
        var build = new Relations();
        Assert.Equal(0, _run.Build(build, "", x => x.Left));
        Assert.Equal("always first left", build.Ran);

        Assert.Equal(2, _run.Build(new Relations()));
        Assert.Contains("SM8101: no target is named", _run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Asynchronous_work_is_waited_for()
    {
        var build = new Waiting();
        Assert.Equal(0, _run.Build(build, "Second"));
        Assert.Equal("begin end more second", build.Ran);
    }

    private sealed class Waiting : LoggedBuild
    {
        public Target First => _ => _
            .Executes(async () =>
            {
                Log.Add("begin");
                await Task.Yield();
                Log.Add("end");
            })
            .Executes(Note("more"));

        public Target Second => _ => _.DependsOn(First).Executes(Note("second"));
    }

    private sealed class Circles : LoggedBuild
    {
        public Target A => _ => _.DependsOn(B);

        public Target B => _ => _.After(C);

        public Target C => _ => _.TriggeredBy(A).DependentFor(B);

        public Target D => _ => _.DependsOn(D);

        public Target E => _ => _.Executes(Note("e"));
    }

    [Fact]
    public void Circles_are_shown_all_at_once_and_nothing_runs()
    {
        var build = new Circles();
        Assert.Equal(2, _run.Build(build, "E"));
        Assert.Equal("", build.Ran);
        Assert.Contains("SM8105 at A: A -> B -> C -> A: A depends on B, B depends on C, C is triggered by A.", _run.Error, StringComparison.Ordinal);
        Assert.Contains("SM8105 at D: D -> D: D depends on D.", _run.Error, StringComparison.Ordinal);
    }

    /// <summary>The targets of a random graph: relations point from a higher number to a lower one, so there is no circle.</summary>
    private static TargetNode[] RandomNodes(int count, (int From, int To, int Kind)[] relations)
    {
        var nodes = Enumerable.Range(0, count).Select(i => new TargetNode($"T{i}", d => d, new TargetDefinition(new Relations()))).ToArray();
        foreach (var (from, to, kind) in relations.Where(r => r.From > r.To && r.From < count))
        {
            if (kind == 0)
            {
                nodes[from].Dependencies.Add(nodes[to]);
            }
            else if (kind == 1)
            {
                nodes[from].Earlier.Add(nodes[to]);
            }
            else
            {
                nodes[to].Triggers.Add(nodes[from]);
                nodes[from].TriggeredBy.Add(nodes[to]);
            }
        }

        return nodes;
    }

    [Fact]
    public void Random_graphs_run_each_target_once_after_all_that_come_before_it()
    {
        Gen.Select(Gen.Int[1, 12], Gen.Select(Gen.Int[0, 11], Gen.Int[0, 11], Gen.Int[0, 2]).Array[0, 40], Gen.Int[0, 11].Array[1, 4]).Sample((count, relations, asked) =>
        {
            var nodes = RandomNodes(count, relations);
            var requested = asked.Select(a => nodes[a % count]).Distinct().ToArray();
            var plan = ExecutionPlan.Create(requested, null).Select(p => p.Target).ToList();

            var expected = new HashSet<TargetNode>();
            void Reach(TargetNode node)
            {
                if (expected.Add(node))
                    node.Dependencies.Concat(node.Triggers).ToList().ForEach(Reach);
            }

            requested.ToList().ForEach(Reach);
            Assert.Equal(expected.Count, plan.Count);
            Assert.True(expected.SetEquals(plan));
            Assert.All(plan, node => Assert.All(node.Before.Select(b => b.Node).Where(expected.Contains), before => Assert.True(plan.IndexOf(before) < plan.IndexOf(node))));
        });
    }
}
