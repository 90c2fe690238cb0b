namespace Smelt.Targets.Tests;

/// <summary>Targets are skipped while what they consume, their parameters and what they produced are the same.</summary>
public sealed class UpToDateTests : IDisposable
{
    private readonly Run _run = new();

    public UpToDateTests()
    {
        _run.Write("source/a.txt", "a");
        _run.Write("source/deep/b.txt", "b");
    }

    public void Dispose() => _run.Dispose();

    private sealed class Copying : LoggedBuild
    {
        public Exception? Failure { get; init; }

        public Action AtWork { get; init; } = () => { };

        [Parameter]
        public string Suffix { get; private set; } = "";

        [Parameter(AffectsOutput = false)]
        public int Threads { get; private set; }

        public Target Join => _ => _
            .Consumes("source/**/*.txt")
            .Produces("out/joined.txt")
            .Executes(() =>
            {
                Log.Add("join");
                Directory.CreateDirectory(PathOf("out"));
                var files = Directory.GetFiles(PathOf("source"), "*.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
                File.WriteAllText(PathOf("out", "joined.txt"), string.Concat(files.Select(File.ReadAllText)) + Suffix);
                AtWork();
                if (Failure is not null)
                    throw Failure;
            });

        public Target Measure => _ => _
            .Consumes(Join)
            .Produces(() => [PathOf("out", "length.txt")])
            .Executes(() =>
            {
                Log.Add("measure");
                File.WriteAllText(PathOf("out", "length.txt"), $"{File.ReadAllText(PathOf("out", "joined.txt")).Length}");
            });

        public Target Always => _ => _.DependsOn(Measure).Produces("out").Executes(Note("always"));
    }

    private string Ran(string line = "Always")
    {
        var build = new Copying();
        Assert.Equal(0, _run.Build(build, line));
        return build.Ran;
    }

    [Fact]
    public void Only_what_something_changed_for_runs()
    {
        Assert.Equal("join measure always", Ran());
        Assert.Equal("always", Ran());
        Assert.Equal(["Join: up to date", "Measure: up to date", "Always: done"], _run.Summary);

        _run.Write("source/a.txt", "c", minute: 1);
        Assert.Equal("join measure always", Ran());

        // Another file, and yet the same text joined: what consumes it stays as it is.
        _run.Write("source/a.txt", "cb", minute: 2);
        File.Delete(Path.Combine(_run.Folder, "source/deep/b.txt"));
        Assert.Equal("join always", Ran());

        // Same content, another time.
        _run.Write("source/a.txt", "cb", minute: 3);
        Assert.Equal("always", Ran());
    }

    [Fact]
    public void A_changed_or_missing_product_is_made_again()
    {
        Ran();
        File.WriteAllText(Path.Combine(_run.Folder, "out/joined.txt"), "tampered");
        Assert.Equal("join always", Ran());
        Directory.Delete(Path.Combine(_run.Folder, "out"), recursive: true);
        Assert.Equal("join measure always", Ran());
    }

    [Fact]
    public void A_changed_parameter_runs_what_it_matters_to()
    {
        Ran();
        Assert.Equal("join measure always", Ran("Always --suffix x"));
        Assert.Equal("always", Ran("Always --suffix x --threads 3"));
        Assert.Equal("join measure always", Ran());
    }

    [Fact]
    public void Force_runs_everything()
    {
        Ran();
        Assert.Equal("join measure always", Ran("Always --force"));
        Assert.Equal("always", Ran());
    }

    [Fact]
    public void What_failed_half_way_is_not_up_to_date()
    {
        Ran();
        _run.Write("source/a.txt", "new", minute: 1);
        Assert.Equal(1, _run.Build(new Copying { Failure = new IOException("no") }, "Join"));

        // Even if inputs and products are as in the run before the one that failed.
        _run.Write("source/a.txt", "a", minute: 2);
        File.WriteAllText(Path.Combine(_run.Folder, "out/joined.txt"), "ab");
        Assert.Equal("join always", Ran());
    }

    [Fact]
    public void A_run_that_is_killed_leaves_the_state_of_the_moment_before()
    {
        Ran();
        var state = Path.Combine(_run.Folder, ".smelt", "state", "Copying.json");
        var before = BuildState.Read(state);
        _run.Write("source/a.txt", "new", minute: 1);

        // While Join is at work, the file says nothing of it, and all of the others.
        var build = new Copying { AtWork = () => before = BuildState.Read(state) };
        Assert.Equal(0, _run.Build(build, "Join"));
        Assert.Equal(["Measure"], before.Targets.Keys);
        Assert.False(before.LastRun!.Finished);
        Assert.Empty(before.LastRun.Succeeded);

        // A temporary file of a process that was killed while it wrote, or a broken file, are no state.
        File.WriteAllText(state + ".1.tmp", "{");
        Assert.Equal("measure always", Ran());
        File.WriteAllText(state, "{");
        Assert.Equal("join measure always", Ran());
    }

    [Fact]
    public void A_linked_file_is_known_by_what_it_links_to()
    {
        _run.Write("elsewhere.txt", "1");
        File.CreateSymbolicLink(Path.Combine(_run.Folder, "source/link.txt"), Path.Combine(_run.Folder, "elsewhere.txt"));
        Ran();
        Assert.Equal("always", Ran());
        _run.Write("elsewhere.txt", "2", minute: 1);
        Assert.Equal("join measure always", Ran());
    }

    [Theory]
    [InlineData("source", "source/a.txt source/deep/b.txt")]
    [InlineData("source/", "source/a.txt source/deep/b.txt")]
    [InlineData("source/*.txt", "source/a.txt")]
    [InlineData("source/**", "source/a.txt source/deep/b.txt")]
    [InlineData("**/b.*", "source/deep/b.txt")]
    [InlineData("source/?.txt", "source/a.txt")]
    [InlineData("source/a.txt", "source/a.txt")]
    [InlineData("source/*/../a.txt", "source/a.txt")]
    [InlineData("source/none", "source/none")]
    [InlineData("none/*.txt", "")]
    public void Names_and_patterns_find_files(string name, string files)
    {
        Assert.Equal(files, string.Join(' ', new FileSet(_run.Folder, [], trusting: true).Hash([name]).Keys));
    }

    [Fact]
    public void The_state_and_version_control_are_no_inputs()
    {
        _run.Write(".git/index", "1");
        _run.Write(".smelt/state/x.json", "1");
        _run.Write(".smelt/parameters.json", "{}");
        Assert.Equal(".smelt/parameters.json source/a.txt source/deep/b.txt", string.Join(' ', new FileSet(_run.Folder, [], trusting: true).Hash(["."]).Keys));
    }

    [Fact]
    public void A_fresh_file_is_read_again_next_time()
    {
        File.WriteAllText(Path.Combine(_run.Folder, "fresh.txt"), "1");
        File.SetLastWriteTimeUtc(Path.Combine(_run.Folder, "fresh.txt"), DateTime.UtcNow.AddHours(1));
        var known = new Dictionary<string, FileRecord>();
        new FileSet(_run.Folder, known, trusting: true).Hash(["fresh.txt", "source/a.txt"]);
        Assert.Equal(["source/a.txt"], known.Keys);
    }
}
