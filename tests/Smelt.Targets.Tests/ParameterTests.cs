namespace Smelt.Targets.Tests;

/// <summary>Parameters from the command line, the environment and the file; what is wrong with them.</summary>
public sealed class ParameterTests : IDisposable
{
    private readonly Run _run = new();

    public void Dispose() => _run.Dispose();

    private enum Level
    {
        Low,
        High,
    }

    private interface IHasOutput : ISmeltBuild
    {
        [Parameter("Where results go.")]
        string OutputFolder => TryGetValue(() => OutputFolder) ?? "out";

        [Parameter]
        int? MaxTasks => TryGetValue(() => MaxTasks);
    }

    private sealed class Build : LoggedBuild, IHasOutput
    {
        [Parameter]
        private readonly string[] _names = ["none"];

        [Parameter]
        public double Rate { get; } = 0.5;

        [Parameter]
        public Level Level { get; private set; }

        [Parameter]
        public bool Verbose { get; private set; }

        [Parameter]
        public string? Key { get; private set; }

        public Target Show => _ => _.Executes(() => Log.Add(FormattableString.Invariant(
            $"{((IHasOutput)this).OutputFolder} {((IHasOutput)this).MaxTasks} {string.Join('+', _names)} {Rate} {Level} {Verbose} {Key}")));

        public Target Send => _ => _.Requires(() => Key).Requires(() => Rate > 1).Executes(Note("send"));

        public Target Sign => _ => _.Requires(() => Key);

        public Target Both => _ => _.DependsOn(Send, Sign);
    }

    [Theory]
    [InlineData("", "out  none 0.5 Low False ")]
    [InlineData("--output-folder x --max-tasks -3", "x -3 none 0.5 Low False ")]
    [InlineData("--OutputFolder=x --maxtasks=3", "x 3 none 0.5 Low False ")]
    [InlineData("--names a --names b --level HIGH --verbose", "out  a+b 0.5 High True ")]
    [InlineData("--verbose false --rate 1e-3 --key --key", null)]
    [InlineData("--verbose false --rate 1e-3 --key=--key", "out  none 0.001 Low False --key")]
    public void The_command_line_sets_parameters(string line, string? shown)
    {
        var build = new Build();
        Assert.Equal(shown is null ? 2 : 0, _run.Build(build, "Show " + line));
        Assert.Equal(shown ?? "", build.Ran);
    }

    [Fact]
    public void The_command_line_comes_before_the_environment_and_that_before_the_file()
    {
        _run.Write(".smelt/parameters.json", """
            {
              // of the team
              "OutputFolder": "file", "MaxTasks": 1, "Names": ["f", "g"], "Rate": 2.5, "Level": "high", "Verbose": true, "$schema": "x",
            }
            """);
        _run.Variables["SMELT_MAX_TASKS"] = "2";
        _run.Variables["SMELT_OUTPUT_FOLDER"] = "environment";
        _run.Variables["SMELT_NAMES"] = "e;f";
        var build = new Build();
        Assert.Equal(0, _run.Build(build, "Show --output-folder line"));
        Assert.Equal("line 2 e+f 2.5 High True ", build.Ran);
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once_with_what_was_meant()
    {
        _run.Write(".smelt/parameters.json", """{ "OutputFoldr": "x", "Rate": "fast" }""");
        _run.Variables["SMELT_LEVEL"] = "hihg";
        Assert.Equal(2, _run.Build<Build>("Show --outputt-folder x --max-tasks many --key a --key b --partition 3/2 --rot . --names"));
        Assert.Equal(
            """
            error SM8102 at --outputt-folder: the build has no parameter '--outputt-folder'. Fix: Did you mean --output-folder?
            error SM8102 at --rot: the build has no parameter '--rot'. Fix: Did you mean --root?
            error SM8103 at --names: the value is missing; allowed: a text.
            error SM8103 at --partition: '3/2' is not allowed; allowed: a part and their number, as in 2/4.
            error SM8102 at ROOT/.smelt/parameters.json: the build has no parameter 'OutputFoldr'. Fix: Did you mean OutputFolder?
            error SM8103 at --key: 2 values are given (a, b); allowed: one.
            error SM8103 at SMELT_LEVEL: 'hihg' is not allowed; allowed: Low, High. Fix: Did you mean High?
            error SM8103 at --max-tasks: 'many' is not allowed; allowed: a whole number.
            error SM8103 at .smelt/parameters.json: Rate: 'fast' is not allowed; allowed: a number.
            """.Split('\n').Order(StringComparer.Ordinal),
            _run.Error.TrimEnd().Split('\n').Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Unknown_targets_and_missing_requirements_are_named_at_once_and_nothing_runs()
    {
        var build = new Build();
        Assert.Equal(2, _run.Build(build, "Show Boht Both --skip Shwo"));
        Assert.Equal("", build.Ran);
        Assert.Equal(
            """
            error SM8101 at Boht: the build has no target 'Boht'; it has Show, Send, Sign, Both. Fix: Did you mean Both?
            error SM8101 at Shwo: the build has no target 'Shwo'; it has Show, Send, Sign, Both. Fix: Did you mean Show?
            error SM8104 at --key: Send, Sign requires the parameter Key. Fix: Give --key VALUE, set SMELT_KEY, or write "Key" into .smelt/parameters.json.
            error SM8104 at Send: it requires Rate > 1.

            """,
            _run.Error);
    }

    [Fact]
    public void Requirements_of_skipped_targets_are_not_asked()
    {
        Assert.Equal(0, _run.Build<Build>("Both --skip Send Sign"));
        Assert.Equal(0, _run.Build<Build>("Both --plan"));
        Assert.Equal(2, _run.Build<Build>("Both --skip Send"));
    }

    private sealed class Throwing : LoggedBuild
    {
        public Target Asked => _ => _.OnlyWhenStatic(() => Log[0] == "x").Executes(Note("asked"));

        public Target Required => _ => _.Requires(() => Log[0]).Executes(Note("required"));
    }

    [Theory]
    [InlineData("Asked", "Log[0] == \"x\"")]
    [InlineData("Required", "Log[0]")]
    public void A_condition_that_fails_before_anything_runs_is_named(string target, string condition)
    {
        Assert.Equal(2, _run.Build<Throwing>(target));
        Assert.StartsWith($"error SM8106 at {target}: asking for {condition} failed: Index was out of range.", _run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_json_is_named()
    {
        _run.Write(".smelt/parameters.json", "[1]");
        Assert.Equal(2, _run.Build<Build>("Show"));
        Assert.StartsWith("error SM8107 at ROOT/.smelt/parameters.json: ", _run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_root_is_the_nearest_folder_with_a_mark_or_the_one_named()
    {
        Directory.CreateDirectory(Path.Combine(_run.Folder, ".git"));
        Directory.CreateDirectory(Path.Combine(_run.Folder, "a", "b"));
        var host = new BuildHost(TextWriter.Null, TextWriter.Null) { Folder = Path.Combine(_run.Folder, "a", "b") };
        var build = new Build();
        Assert.Equal(0, SmeltBuild.Execute(build, ["Show"], host));
        Assert.Equal(_run.Folder, build.RootDirectory);
        Assert.Equal(0, SmeltBuild.Execute(build, ["Show", "--root", ".."], host));
        Assert.Equal(Path.Combine(_run.Folder, "a"), build.RootDirectory);
        Assert.Equal(2, SmeltBuild.Execute(build, ["Show", "--root", "c"], host));
    }

    private interface IOther : ISmeltBuild
    {
        [Parameter]
        string? Rate => TryGetValue(() => Rate);

        Target Show => _ => _;
    }

    private sealed class Unsound : LoggedBuild, IOther
    {
        [Parameter]
        public double Rate { get; private set; }

        [Parameter]
        public string? Plan { get; private set; }

        [Parameter]
        public Uri? Address { get; private set; }

        public Target Show => _ => _.Executes(Note("show"));
    }

    [Fact]
    public void Parameters_that_can_not_work_are_named()
    {
        Assert.Equal(2, _run.Build<Unsound>("Show"));
        Assert.Equal(3, _run.Error.Split("SM8106").Length - 1);
        Assert.Contains("Unsound and IOther have a parameter of this name, with different types.", _run.Error, StringComparison.Ordinal);
        Assert.Contains("--plan is an option of every build.", _run.Error, StringComparison.Ordinal);
        Assert.Contains("a parameter can't have the type Uri;", _run.Error, StringComparison.Ordinal);
    }
}
