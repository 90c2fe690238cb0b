using Smelt.Snapshots;

namespace Smelt.Tool.Tests;

/// <summary>What people read, as a whole: help, plans, reports.</summary>
public sealed class TextTests : IDisposable
{
    private readonly Workspace _work = new();
    private readonly Captured _captured = new();

    public TextTests()
    {
        _work.Model("base", 1, 1, 1, 1);
        _work.Model("one", 3, 1, 1, 5);
        _work.Model("two", 1, 3, 1, -3);
    }

    public void Dispose() => _work.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("run")]
    [InlineData("experiment")]
    [InlineData("lock")]
    [InlineData("test")]
    public void Help(string verb)
    {
        _captured.Run(verb.Length == 0 ? ["--help"] : [verb, "--help"]);

        // The name is that of the process that runs the tests.
        Snapshot.Match(_captured.Out, [verb.Length == 0 ? "smelt" : verb], [Snapshot.Pattern(@"(?m)^(Usage:\n +)\S+", "$1smelt"), Snapshot.Pattern("(?m) +$", "")]);
    }

    [Fact]
    public void A_plan()
    {
        _captured.Run("plan", _work.TaskArithmetic("sum.json", """{"sweep": [0.5, 1]}""", "base", "one", "two"), "--out", _work["merged"], "--threads", "2");
        Snapshot.Match(_captured.Out, scrub: [Snapshot.Paths(_work["."].TrimEnd('.', '/'), "WORK"), Snapshot.Pattern(@"\S+ \S+ free", "SIZE free")]);
    }

    [Fact]
    public void A_report()
    {
        _captured.Run("run", _work.TaskArithmetic("sum.json", """{"sweep": [0.5, 1]}""", "base", "one", "two"), "--out", _work["merged"], "--threads", "2");
        Snapshot.Match(_captured.Out, scrub:
        [
            Snapshot.Paths(_work["."].TrimEnd('.', '/'), "WORK"),
            Snapshot.Pattern(@" +\S+ m?s +\S+ \S+/s(?=\n)", " TIME RATE"),
            Snapshot.Pattern(@"(?m) +time +rate *$", " TIME RATE"),
        ]);
    }

    [Fact]
    public void No_snapshot_is_left_over() => Assert.Empty(Snapshot.Dangling(typeof(TextTests).Assembly));
}
