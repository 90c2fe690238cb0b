using System.Text;

namespace Smelt.Snapshots.Tests;

/// <summary>Received and verified texts: what is new, what differs, what is accepted and by whom.</summary>
public sealed class SnapshotTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smelt-snapshots-").FullName;
    private readonly Dictionary<string, string?> _environment = new[] { "CI", "TF_BUILD", "GITHUB_ACTIONS", "TEAMCITY_VERSION", "JENKINS_URL", "BUILDKITE" }
        .ToDictionary(n => n, Environment.GetEnvironmentVariable);

    public SnapshotTests()
    {
        foreach (var name in _environment.Keys)
            Environment.SetEnvironmentVariable(name, null);
    }

    public void Dispose()
    {
        foreach (var (name, value) in _environment)
            Environment.SetEnvironmentVariable(name, value);
        Directory.Delete(_folder, recursive: true);
    }

    private SnapshotFile Of(string name = "a.verified.txt") => new(Path.Combine(_folder, name));

    [Fact]
    public void A_new_text_is_received_and_fails_until_it_is_accepted()
    {
        var file = Of();
        var result = file.Compare("one\r\ntwo");
        Assert.Equal(SnapshotState.New, result.State);
        Assert.Contains(file.Received, result.Message, StringComparison.Ordinal);
        Assert.Equal("one\ntwo\n", File.ReadAllText(file.Received));
        Assert.False(File.Exists(file.Verified));
        Assert.Equal(file.Verified, Assert.Single(SnapshotFile.Pending(_folder)).Verified);

        Assert.True(file.Accept());
        Assert.False(File.Exists(file.Received));
        Assert.Equal(SnapshotState.Same, file.Compare("one\ntwo").State);
        Assert.False(file.Accept());
    }

    [Fact]
    public void A_different_text_shows_its_lines_and_a_right_one_clears_what_was_received()
    {
        var file = Of();
        file.Compare("same\nold\nend");
        file.Accept();
        var result = file.Compare("same\nnew\nmore\nend");
        Assert.Equal(SnapshotState.Different, result.State);
        Assert.Contains("line 2:\n  - old\n  + new\n  + more\n", result.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(file.Received));
        Assert.Equal(SnapshotState.Same, file.Compare("same\nold\nend").State);
        Assert.False(File.Exists(file.Received));
    }

    [Fact]
    public void Nothing_is_accepted_on_a_build_server()
    {
        var file = Of();
        file.Compare("text");
        Environment.SetEnvironmentVariable("CI", "true");
        Assert.True(SnapshotFile.IsBuildServer);
        Assert.Throws<InvalidOperationException>(() => file.Accept());
        Assert.False(File.Exists(file.Verified));
    }

    [Fact]
    public void Line_breaks_of_windows_and_byte_order_marks_are_told_from_other_texts()
    {
        var file = Of();
        File.WriteAllText(file.Verified, "one\r\n");
        Assert.Contains(".gitattributes", file.Compare("one").Message, StringComparison.Ordinal);
        File.WriteAllText(file.Verified, "one\n", new UTF8Encoding(true));
        Assert.Contains("byte order mark", file.Compare("one").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData("a b/c")]
    public void A_test_has_its_file_beside_its_source_with_parameters_in_the_name(object parameter)
    {
        var source = Path.Combine(_folder, "ThingTests.cs");
        var failure = Assert.Throws<SnapshotException>(() => Snapshot.Match("text", [parameter], file: source, test: "Works"));
        var name = parameter is 1 ? "ThingTests.Works(1).verified.txt" : "ThingTests.Works(a_b_c).verified.txt";
        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
        new SnapshotFile(Path.Combine(_folder, "Snapshots", name)).Accept();
        Snapshot.Match("text", [parameter], file: source, test: "Works");
    }

    [Fact]
    public void A_source_that_is_not_there_is_told_from_a_missing_snapshot()
    {
        var failure = Assert.Throws<SnapshotException>(() => Snapshot.Match("text", file: "/_/tests/ThingTests.cs", test: "Works"));
        Assert.Contains("DeterministicSourcePaths=false", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scrubbers_take_out_what_changes_from_run_to_run()
    {
        var source = Path.Combine(_folder, "ThingTests.cs");
        Assert.Throws<SnapshotException>(() => Match("/tmp/abc", "1.5"));
        foreach (var pending in SnapshotFile.Pending(_folder).ToArray())
            pending.Accept();
        Match("/tmp/other", "0.25");
        Assert.Equal("took TIME in ROOT/x\n", File.ReadAllText(Path.Combine(_folder, "Snapshots", "ThingTests.Works.verified.txt")));

        void Match(string root, string seconds) => Snapshot.Match($"took {seconds} s in {root}/x", scrub: [Snapshot.Paths(root, "ROOT"), Snapshot.Pattern(@"\d+\.\d+ s", "TIME")], file: source, test: "Works");
    }

    [Fact]
    public void Files_of_tests_that_are_gone_are_found()
    {
        var snapshots = Directory.CreateDirectory(Path.Combine(_folder, "Snapshots")).FullName;
        var kept = $"{nameof(SnapshotTests)}.{nameof(Files_of_tests_that_are_gone_are_found)}(1).verified.txt";
        foreach (var name in new[] { kept, "SnapshotTests.Gone.verified.txt", "GoneTests.Works.verified.txt" })
            File.WriteAllText(Path.Combine(snapshots, name), "");
        var dangling = Snapshot.Dangling(typeof(SnapshotTests).Assembly, Path.Combine(_folder, "SnapshotTests.cs"));
        Assert.Equal(["GoneTests.Works.verified.txt", "SnapshotTests.Gone.verified.txt"], dangling.Select(Path.GetFileName));
    }
}
