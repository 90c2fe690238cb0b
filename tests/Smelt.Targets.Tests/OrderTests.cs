using System.Globalization;
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

    /// <summary>A relation between two targets: the number of the one that runs first, of the one that runs later, and which it is.</summary>
    private sealed record Edge(int First, int Later, Relation Kind);

    /// <summary>A build with relations from a list: they lead from lower numbers to higher ones, so that there is no circle.</summary>
    private sealed class Random(IReadOnlyList<Edge> edges, int failing) : LoggedBuild
    {
        public Target T0 => _ => Define(_, 0);

        public Target T1 => _ => Define(_, 1);

        public Target T2 => _ => Define(_, 2);

        public Target T3 => _ => Define(_, 3);

        public Target T4 => _ => Define(_, 4);

        public Target T5 => _ => Define(_, 5);

        public Target T6 => _ => Define(_, 6);

        public Target T7 => _ => Define(_, 7);

        public Target T8 => _ => Define(_, 8);

        public Target T9 => _ => Define(_, 9);

        private Target[] All => [T0, T1, T2, T3, T4, T5, T6, T7, T8, T9];

        private ITargetDefinition Define(ITargetDefinition definition, int number)
        {
            foreach (var (first, later, kind) in edges)
            {
                var other = All[first == number ? later : first];
                _ = (kind, number == first, number == later) switch
                {
                    (Relation.DependsOn, _, true) => definition.DependsOn(other),
                    (Relation.Consumes, _, true) => definition.Consumes(other),
                    (Relation.DependentFor, true, _) => definition.DependentFor(other),
                    (Relation.Before, true, _) => definition.Before(other),
                    (Relation.After, _, true) => definition.After(other),
                    (Relation.Triggers, true, _) => definition.Triggers(other),
                    (Relation.TriggeredBy, _, true) => definition.TriggeredBy(other),
                    _ => definition,
                };
            }

            return definition.Executes(() =>
            {
                Log.Add($"T{number}");
                if (number == failing)
                    throw new IOException("fails");
            });
        }
    }

    [Fact]
    public void Random_graphs_run_each_target_once_after_all_that_come_before_it()
    {
        var edge = Gen.Select(Gen.Int[0, 8], Gen.Int[1, 9], Gen.Enum<Relation>()).Select((a, b, kind) => new Edge(Math.Min(a, b - 1), Math.Max(a + 1, b), kind));
        Gen.Select(edge.Array[0, 25], Gen.Int[0, 9].Array[1, 3], Gen.Int[0, 30]).Sample(
            (edges, asked, failing) =>
            {
                var build = new Random(edges, failing);
                using var run = new Run();
                var code = run.Build(build, string.Join(' ', asked.Select(a => $"T{a}")) + " --force");

                var expected = new HashSet<int>();
                void Reach(int target)
                {
                    if (!expected.Add(target))
                        return;
                    foreach (var e in edges)
                    {
                        if (e.Later == target && e.Kind is Relation.DependsOn or Relation.Consumes or Relation.DependentFor)
                            Reach(e.First);
                        if (e.First == target && e.Kind is Relation.Triggers or Relation.TriggeredBy)
                            Reach(e.Later);
                    }
                }

                foreach (var target in asked)
                    Reach(target);
                var ran = build.Log.Select(name => int.Parse(name[1..], CultureInfo.InvariantCulture)).ToList();
                var fails = expected.Contains(failing);
                Assert.Equal(fails ? 1 : 0, code);
                Assert.Equal(ran.Count, ran.Distinct().Count());
                if (fails)
                    Assert.Equal(failing, ran[^1]);
                else
                    Assert.True(expected.SetEquals(ran));
                Assert.All(edges.Where(e => ran.Contains(e.Later) && expected.Contains(e.First)), e => Assert.InRange(ran.IndexOf(e.First), 0, ran.IndexOf(e.Later) - 1));
            },
            iter: 200);
    }
}
