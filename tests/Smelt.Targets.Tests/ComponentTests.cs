namespace Smelt.Targets.Tests;

/// <summary>Components: interfaces whose targets are default members.</summary>
public sealed class ComponentTests : IDisposable
{
    private readonly Run _run = new();

    public void Dispose() => _run.Dispose();

    private interface INote : ISmeltBuild
    {
        List<string> Log { get; }

        [Parameter("What is noted.")]
        string Word => TryGetValue(() => Word) ?? "word";
    }

    private interface ICompile : INote
    {
        Target Compile => _ => _.Executes(() => Log.Add("compile " + Word));
    }

    private interface IPack : ICompile
    {
        Target Pack => _ => _.DependsOn(Compile).Requires(() => Word).Executes(() => Log.Add("pack"));
    }

    private interface IPublish : INote
    {
        Target Publish => _ => _.DependsOn<IPack>(x => x.Pack).Executes(() => Log.Add("publish"));
    }

    private sealed class Composed : LoggedBuild, IPublish, IPack
    {
        public Target Clean => _ => _.Before<ICompile>(x => x.Compile).DependentFor<IPack>(x => x.Pack).Executes(Note("clean"));

        public Target Sign => _ => _.After<IPack>(x => x.Pack).TriggeredBy<IPublish>(x => x.Publish).Executes(Note("sign"));
    }

    [Fact]
    public void A_build_has_the_targets_and_the_parameters_of_its_components()
    {
        var build = new Composed();
        Assert.Equal(0, _run.Build(build, "Publish --word x"));
        Assert.Equal("clean compile x pack publish sign", build.Ran);

        build = new Composed();
        Assert.Equal(0, _run.Build(build, "", x => ((ICompile)x).Compile));
        Assert.Equal("compile word", build.Ran);
    }

    private sealed class Replacing : LoggedBuild, IPack
    {
        public Target Compile => _ => _.Executes(Note("another compile"));

        Target IPack.Pack => _ => _.DependsOn(Compile).Executes(Note("another pack"));
    }

    [Fact]
    public void A_build_replaces_targets_of_its_components()
    {
        var build = new Replacing();
        Assert.Equal(0, _run.Build(build, "Pack"));
        Assert.Equal("another compile another pack", build.Ran);
    }

    private class Standard : LoggedBuild
    {
        public virtual Target Compile => _ => _.Executes(Note("compile"));

        public Target Pack => _ => _.DependsOn(Compile).Executes(Note("pack"));
    }

    private sealed class Derived : Standard
    {
        public override Target Compile => _ => _.DependsOn(Restore).Executes(Note("derived"));

        private Target Restore => _ => _.Executes(Note("restore"));
    }

    [Fact]
    public void A_build_replaces_targets_of_its_base_class()
    {
        var build = new Derived();
        Assert.Equal(0, _run.Build(build, "Pack"));
        Assert.Equal("restore derived pack", build.Ran);
    }

    private interface IOther : ISmeltBuild
    {
        Target Compile => _ => _;
    }

    private sealed class Unsound : LoggedBuild, ICompile, IOther
    {
        public Target None => null!;

        public Target Changing
        {
            get
            {
                var text = $"{Log.Count}";
                return _ => _.Description(text);
            }
        }

        public Target Broken => _ => _.Produces(Path.Combine(null!, "x"));

        public Target Lonely => _ => _.DependsOn<IPack>(x => x.Pack).DependsOn(_ => _);
    }

    [Fact]
    public void Targets_that_can_not_work_are_named_all_at_once()
    {
        Assert.Equal(2, _run.Build<Unsound>("Lonely"));
        string[] expected =
        [
            "error SM8106 at None: the property gives another target each time it is asked, or none.",
            "error SM8106 at Changing: the property gives another target each time it is asked, or none.",
            "error SM8106 at Broken: its definition failed: Value cannot be null. (Parameter 'path1')",
            "error SM8106 at Lonely: its definition failed: the build has no component IPack",
            "error SM8106 at Compile: ICompile and IOther have a target of this name.",
        ];
        Assert.Equal(expected, _run.Error.TrimEnd().Split('\n').Select(l => l.Split(" Fix: ")[0]));
    }
}
