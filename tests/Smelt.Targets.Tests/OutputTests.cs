using System.Reflection;
using Smelt.Snapshots;

namespace Smelt.Targets.Tests;

/// <summary>What a user reads.</summary>
public sealed class OutputTests : IDisposable
{
    private static readonly Func<string, string>[] Changing = [Snapshot.Pattern(@"\d+\.\d s", "0.0 s"), Snapshot.Pattern(@"at .*OutputTests\.cs:line \d+", "at FILE:line N")];

    private readonly Run _run = new();

    public void Dispose() => _run.Dispose();

    private enum Quality
    {
        Draft,
        Final,
    }

    private sealed class Shown : LoggedBuild
    {
        [Parameter("Where the report goes.")]
        public string OutputFolder { get; private set; } = "out";

        [Parameter("The chapters to print.")]
        public string[] Chapters { get; private set; } = ["one", "two"];

        [Parameter]
        public Quality Quality { get; private set; }

        [Parameter("More of everything.")]
        public bool Verbose { get; private set; }

        public Target Fetch => _ => _.Description("Fetches the sources.").Produces("source").Executes(() =>
        {
            Directory.CreateDirectory(PathOf("source"));
            File.WriteAllText(PathOf("source", "a.txt"), "a");
        });

        public Target Print => _ => _.Description("Prints the report.").Consumes("source").DependsOn(Fetch).Produces("report.txt").Executes(() => File.WriteAllText(PathOf("report.txt"), "r"));

        public Target Proof => _ => _.DependsOn(Print).OnlyWhen(() => Quality == Quality.Final).Executes(Note("proof"));

        public Target Bind => _ => _.Consumes(Print, Fetch).After(Proof).Executes(Note("bind"));

        public Target Send => _ => _.DependsOn(Bind, Proof).OnlyWhenStatic(() => Verbose).Triggers(Thank).Executes(Note("send"));

        public Target Store => _ => _.DependsOn(Send).Triggers(Thank).Executes(() => throw new IOException("no room"));

        public Target Thank => _ => _.Executes(Note("thank"));
    }

    [Fact]
    public void Help()
    {
        Assert.Equal(0, _run.Build<Shown>("--help --quality none", x => x.Print));
        Snapshot.Match(_run.Out);
    }

    [Fact]
    public void Plan()
    {
        Assert.Equal(0, _run.Build<Shown>("Store Send --plan"));
        Snapshot.Match(_run.Out, ["first"]);
        Assert.False(Directory.Exists(Path.Combine(_run.Folder, ".smelt")));

        Assert.Equal(0, _run.Build<Shown>("Bind"));
        Assert.Equal(0, _run.Build<Shown>("Store Send --plan --skip Fetch"));
        Snapshot.Match(_run.Out, ["later"]);
    }

    [Fact]
    public void Graph()
    {
        Assert.Equal(0, _run.Build<Shown>("Store --graph"));
        Snapshot.Match(_run.Out, extension: "mmd");
    }

    [Fact]
    public void Failure()
    {
        Assert.Equal(1, _run.Build<Shown>("Store Thank"));
        Snapshot.Match(_run.Out + "-- errors --\n" + _run.Error, scrub: Changing);
    }

    [Fact]
    public void Colours_are_for_terminals()
    {
        Assert.Equal(1, _run.Build<Shown>("Store"));
        Assert.DoesNotContain('\u001b', _run.Out + _run.Error);

        var (output, error) = (new StringWriter(), new StringWriter());
        Assert.Equal(1, SmeltBuild.Execute(new Shown(), ["Store"], new BuildHost(output, error) { Colours = true, Folder = _run.Folder }));
        Assert.Contains("\u001b[1m== Store\u001b[0m", output.ToString(), StringComparison.Ordinal);
        Assert.Matches(@"\e\[32mFetch .*\e\[0m", output.ToString());
        Assert.Matches(@"\e\[31mStore .*\e\[0m", output.ToString());
        Assert.Matches(@"\e\[33mSend .*\e\[0m", output.ToString());
    }

    [Fact]
    public void Every_snapshot_has_its_test() => Assert.Empty(Snapshot.Dangling(Assembly.GetExecutingAssembly()));
}
