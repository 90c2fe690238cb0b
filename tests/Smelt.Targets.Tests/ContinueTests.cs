namespace Smelt.Targets.Tests;

/// <summary>Runs that go on where an earlier one failed.</summary>
public sealed class ContinueTests : IDisposable
{
    private readonly Run _run = new();

    public void Dispose() => _run.Dispose();

    private sealed class Flaky : LoggedBuild
    {
        public bool Fails { get; init; }

        public Action Stop { get; init; } = () => { };

        [Parameter]
        public string Mode { get; private set; } = "fast";

        public Target One => _ => _.Executes(Note("one"));

        public Target Two => _ => _.DependsOn(One).Executes(Stop).Executes(Note("two"));

        public Target Three => _ => _.DependsOn(Two).Executes(Note("three")).Executes(() =>
        {
            if (Fails)
                throw new IOException("no");
        });

        public Target Four => _ => _.DependsOn(Three).Triggers(Five).Executes(Note("four"));

        public Target Five => _ => _.Executes(Note("five"));
    }

    [Fact]
    public void What_succeeded_is_not_done_again()
    {
        Assert.Equal(1, _run.Build(new Flaky { Fails = true }, "Four"));
        var build = new Flaky { Fails = true };
        Assert.Equal(1, _run.Build(build, "--continue"));
        Assert.Equal("three", build.Ran);

        build = new Flaky();
        Assert.Equal(0, _run.Build(build, "--continue --plan"));
        Assert.Equal("", build.Ran);
        Assert.Equal(2, _run.Out.Split("done before").Length - 1);
        Assert.Equal(0, _run.Build(build, "--continue"));
        Assert.Equal("three four five", build.Ran);
        Assert.Equal(["One: done before", "Two: done before", "Three: done", "Four: done", "Five: done"], _run.Summary);

        build = new Flaky();
        Assert.Equal(0, _run.Build(build, "--continue"));
        Assert.Equal("nothing to continue: the last run succeeded\n", _run.Out);
        Assert.Equal(0, _run.Build(build, "Four"));
        Assert.Equal("one two three four five", build.Ran);
    }

    [Fact]
    public void A_stopped_run_goes_on_after_the_target_that_it_finished()
    {
        Assert.Equal(130, _run.Build(new Flaky { Stop = _run.Stop }, "Three"));
        using var again = new Run(_run.Folder);
        var build = new Flaky();
        Assert.Equal(0, again.Build(build, "--continue"));
        Assert.Equal("three", build.Ran);
    }

    [Fact]
    public void Another_value_of_a_parameter_is_no_continuation()
    {
        Assert.Equal(1, _run.Build(new Flaky { Fails = true }, "Three --mode slow"));
        Assert.Equal(2, _run.Build(new Flaky(), "--continue"));
        Assert.StartsWith("error SM8108 at Mode: the parameter has another value than in the run to continue.", _run.Error, StringComparison.Ordinal);
        Assert.Equal(0, _run.Build(new Flaky(), "--continue --mode slow"));
    }

    [Fact]
    public void Without_a_run_there_is_nothing_to_continue()
    {
        Assert.Equal(0, _run.Build(new Flaky(), "Three --continue"));
        Assert.Equal("nothing to continue: there was no run\n", _run.Out);
    }
}
