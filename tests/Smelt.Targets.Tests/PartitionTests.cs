namespace Smelt.Targets.Tests;

/// <summary>Targets that are divided between processes.</summary>
public sealed class PartitionTests : IDisposable
{
    private readonly Run _run = new();

    public void Dispose() => _run.Dispose();

    private sealed class Divided : LoggedBuild
    {
        public Target Prepare => _ => _.Executes(Note("prepare"));

        public Target Test => _ => _.DependsOn(Prepare).Partition(4).Executes(() => Log.AddRange(Partition.GetCurrent(["a", "b", "c", "d", "e"])));
    }

    [Theory]
    [InlineData("", "prepare a b c d e")]
    [InlineData("--partition 1/1", "prepare a b c d e")]
    [InlineData("--partition 1/2", "prepare a c e")]
    [InlineData("--partition 2/2", "prepare b d")]
    [InlineData("--partition 4/4", "prepare d")]
    public void Parts_together_are_the_whole(string line, string ran)
    {
        var build = new Divided();
        Assert.Equal(0, _run.Build(build, "Test " + line));
        Assert.Equal(ran, build.Ran);
    }

    [Theory]
    [InlineData("Test --partition 1/5", "5 parts are too many; allowed: up to 4.")]
    [InlineData("Prepare --partition 1/2", "no target of the plan can be divided.")]
    [InlineData("Test --partition 0/2", "'0/2' is not allowed; allowed: a part and their number, as in 2/4.")]
    [InlineData("Test --partition two", "'two' is not allowed; allowed: a part and their number, as in 2/4.")]
    public void A_part_that_there_is_not_is_refused(string line, string message)
    {
        Assert.Equal(2, _run.Build<Divided>(line));
        Assert.Equal($"error SM8103 at --partition: {message}\n", _run.Error);
    }

    [Fact]
    public void Parts_keep_states_of_their_own()
    {
        Assert.Equal(0, _run.Build<Divided>("Test --partition 1/2"));
        Assert.Equal(0, _run.Build<Divided>("Test --partition 2/2"));
        Assert.Equal([".gitignore", "Divided.1of2.json", "Divided.2of2.json"], Directory.GetFiles(Path.Combine(_run.Folder, ".smelt", "state")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }
}
