namespace Smelt.Targets.Tests;

/// <summary>Targets that are left out, and why.</summary>
public sealed class SkippingTests : IDisposable
{
    private readonly Run _run = new();

    public void Dispose() => _run.Dispose();

    private sealed class Conditions : LoggedBuild
    {
        [Parameter]
        public bool Publish { get; private set; }

        public bool Built { get; private set; }

        public Target Build => _ => _.Executes(() => Built = true);

        public Target Check => _ => _.DependsOn(Build).OnlyWhen(() => Built == false).Executes(Note("check"));

        public Target Sign => _ => _.Executes(Note("sign"));

        public Target Push => _ => _
            .DependsOn(Build, Sign)
            .OnlyWhenStatic(() => Publish)
            .WhenSkipped(DependencyBehavior.Skip)
            .Executes(Note("push"));

        public Target All => _ => _.DependsOn(Check, Push).Executes(Note("all"));
    }

    [Fact]
    public void Conditions_are_asked_when_their_turn_comes_and_their_text_is_the_reason()
    {
        var build = new Conditions();
        Assert.Equal(0, _run.Build(build, "All"));
        Assert.Equal("all", build.Ran);
        Assert.Equal(["Build: done", "Check: skipped: only when Built == false", "Push: skipped: only when Publish", "All: done"], _run.Summary);
        Assert.Contains("== Check skipped: only when Built == false\n", _run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Dependencies_of_a_target_that_is_not_skipped_run()
    {
        var build = new Conditions();
        Assert.Equal(0, _run.Build(build, "Push --publish"));
        Assert.Equal("sign push", build.Ran);
    }

    private sealed class Chain : LoggedBuild
    {
        public Target One => _ => _.Executes(Note("one"));

        public Target Two => _ => _.DependsOn(One).Triggers(After).Executes(Note("two"));

        public Target Three => _ => _.DependsOn(Two).Executes(Note("three"));

        public Target After => _ => _.Executes(Note("after"));
    }

    [Theory]
    [InlineData("Three --skip", "three")]
    [InlineData("Three One --skip", "one three")]
    [InlineData("Three --skip One", "two after three")]
    [InlineData("Three --skip one two", "three")]
    [InlineData("--skip=x Three", null)]
    public void Skip_leaves_out_the_targets_named_or_all_but_those_asked_for(string line, string? ran)
    {
        var build = new Chain();
        Assert.Equal(ran is null ? 2 : 0, _run.Build(build, line));
        Assert.Equal(ran ?? "", build.Ran);
    }

    [Fact]
    public void What_is_triggered_by_a_target_that_did_not_run_is_skipped()
    {
        var build = new Dynamic();
        Assert.Equal(0, _run.Build(build, "Two"));
        Assert.Equal("", build.Ran);
        Assert.Equal(["Two: skipped: only when false", "After: skipped: what triggers it did not run"], _run.Summary);

        Assert.Equal(0, _run.Build(build, "Two After"));
        Assert.Equal("after", build.Ran);
    }

    private sealed class Dynamic : LoggedBuild
    {
        public Target Two => _ => _.OnlyWhen(() => false).Triggers(After).Executes(Note("two"));

        public Target After => _ => _.Executes(Note("after"));
    }
}
