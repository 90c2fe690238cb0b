namespace Smelt.Targets.Tests;

/// <summary>What runs after a failure or a stop, and what the exit code is.</summary>
public sealed class FailureTests : IDisposable
{
    private readonly Run _run = new();

    public void Dispose() => _run.Dispose();

    private sealed class Failing : LoggedBuild
    {
        public Exception Thrown { get; init; } = new IOException("the disk is full");

        public Target First => _ => _.Executes(Note("first"));

        public Target Second => _ => _.DependsOn(First).Executes(() => throw Thrown);

        public Target Third => _ => _.DependsOn(Second).Executes(Note("third"));

        public Target CleanUp => _ => _.After(Third).AssuredAfterFailure().Executes(Note("clean"));

        public Target Test => _ => _.ProceedAfterFailure().Executes(() => throw Thrown);

        public Target Report => _ => _.DependsOn(Test).Executes(Note("report"));
    }

    [Fact]
    public void After_a_failure_only_assured_targets_run()
    {
        var build = new Failing();
        Assert.Equal(1, _run.Build(build, "CleanUp Third"));
        Assert.Equal("first clean", build.Ran);
        Assert.Equal(["First: done", "Second: failed: the disk is full", "Third: not run", "CleanUp: done"], _run.Summary);
        Assert.StartsWith("Second failed: the disk is full\n", _run.Error, StringComparison.Ordinal);
        Assert.EndsWith("failed; --continue goes on without what is done\n", _run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_after_whose_failure_the_build_proceeds_fails_it_all_the_same()
    {
        var build = new Failing();
        Assert.Equal(1, _run.Build(build, "Report"));
        Assert.Equal("report", build.Ran);
        Assert.Equal(["Test: failed: the disk is full", "Report: done"], _run.Summary);
    }

    [Fact]
    public void Problems_are_shown_one_a_line()
    {
        var thrown = new InvalidInputException([new Problem("SM0000", Severity.Error, "a", "one."), new Problem("SM0001", Severity.Error, "b", "two.")]);
        Assert.Equal(1, _run.Build(new Failing { Thrown = thrown }, "Test"));
        Assert.Equal("error SM0000 at a: one.\nerror SM0001 at b: two.\n", _run.Error);
        Assert.Equal(["Test: failed: 2 problems"], _run.Summary);
    }

    [Fact]
    public void An_unexpected_failure_says_its_kind_and_its_place()
    {
        Assert.Equal(1, _run.Build(new Failing { Thrown = new InvalidOperationException("odd") }, "Test"));
        Assert.Matches(@"^Test failed: InvalidOperationException: odd\n   at .*FailureTests\.cs:line \d+ \(SMELT_TRACE=1 shows the way there\)\n$", _run.Error);
    }

    [Fact]
    public void A_product_that_was_not_made_is_a_failure()
    {
        Assert.Equal(1, _run.Build<Promising>("Make"));
        Assert.Equal(["Make: failed: it says that it produces out.txt, and has not."], _run.Summary);
    }

    private sealed class Promising : LoggedBuild
    {
        public Target Make => _ => _.Produces("logs/*.txt", "out.txt").Executes(Note("make"));
    }

    private sealed class Stopping(Action stop) : LoggedBuild
    {
        public Target Heeds => _ => _.Executes(stop).Executes(() => Cancellation.ThrowIfCancellationRequested());

        public Target Ignores => _ => _.Executes(stop);

        public Target Next => _ => _.DependsOn(Heeds).Executes(Note("next"));

        public Target Other => _ => _.DependsOn(Ignores).AssuredAfterFailure().Executes(Note("other"));
    }

    [Theory]
    [InlineData("Next", "Heeds: stopped", "Next: not run")]
    [InlineData("Other", "Ignores: done", "Other: not run")]
    public void A_stop_ends_the_target_at_work_and_starts_no_other(string line, params string[] summary)
    {
        var build = new Stopping(_run.Stop);
        Assert.Equal(130, _run.Build(build, line));
        Assert.Equal("", build.Ran);
        Assert.Equal(summary, _run.Summary);
        Assert.EndsWith("stopped; --continue goes on without what is done\n", _run.Out, StringComparison.Ordinal);
    }

    private sealed class Calling : LoggedBuild
    {
        public Target Ask => _ => _.Executes(() => Log.Add(Command.Read(this, "dotnet", "--version").Trim()));

        public Target Err => _ => _.Executes(() => Command.Run(this, "dotnet", "no-such-verb.dll"));

        public Target Lack => _ => _.Executes(() => Command.Run(this, "no-such-program"));
    }

    [Fact]
    public void Programs_are_run_and_their_failures_named()
    {
        var build = new Calling();
        Assert.Equal(0, _run.Build(build, "Ask"));
        Assert.Matches(@"^\d+\.\d+\.\d+", build.Ran);

        Assert.Equal(1, _run.Build(build, "Err"));
        Assert.Contains("Err failed: dotnet no-such-verb.dll ended with exit code ", _run.Error, StringComparison.Ordinal);
        Assert.Equal(1, _run.Build(build, "Lack"));
        Assert.StartsWith("Lack failed: no-such-program can't be started: ", _run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stop_after_the_last_target_changes_nothing()
    {
        Assert.Equal(0, _run.Build(new Stopping(_run.Stop), "Ignores"));
    }
}
