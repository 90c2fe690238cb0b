using System.IO.Compression;

namespace Smelt.Sdk.Tests;

/// <summary>What builds of recipe projects do, from the first to the clean.</summary>
public sealed class BuildTests(Packages packages) : IClassFixture<Packages>
{
    private const string Folded = "public static Recipe Define() => new Average { Base = Models.Base, Experts = [.. Models.Experts] };";

    [Fact]
    public void A_build_emits_configurations_once_and_merges_nothing()
    {
        var project = packages.Create("smelt-recipes", "Emits");
        Succeed(packages.Build(project));
        Assert.Equal(["average.json", "ties.json"], Names(Emitted(project, "recipes")));
        Assert.False(Directory.Exists(Path.Combine(project, "out")));

        var stamp = File.GetLastWriteTimeUtc(Emitted(project, "emit.stamp"));
        Assert.Contains("Skipping target \"_SmeltEmit\"", Succeed(packages.Build(project)), StringComparison.Ordinal);
        Assert.Equal(stamp, File.GetLastWriteTimeUtc(Emitted(project, "emit.stamp")));

        Replace(project, "Density = 0.2", "Density = 0.3");
        Succeed(packages.Build(project));
        Assert.Contains("\"density\":0.3", File.ReadAllText(Emitted(project, "recipes", "ties.json")), StringComparison.Ordinal);

        // What is changed by hand does not pass for the recipe.
        File.WriteAllText(Emitted(project, "recipes", "ties.json"), File.ReadAllText(Emitted(project, "recipes", "ties.json")).Replace("0.3", "0.4", StringComparison.Ordinal));
        Assert.Contains("SM8007", Fail(packages.Build(project, "-t:Merge")), StringComparison.Ordinal);
        Succeed(packages.Build(project, "--no-incremental"));
        Assert.Contains("written to", Succeed(packages.Build(project, "-t:Merge")), StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_does_what_changed_and_nothing_else()
    {
        var project = packages.Create("smelt-recipes", "Merges");
        Assert.Contains("written to", Succeed(packages.Build(project, "-t:Merge")), StringComparison.Ordinal);
        Assert.Equal(["average", "ties"], Names(Path.Combine(project, "out")));
        var first = Times(project);

        // Nothing changed.
        Assert.Contains("Skipping target \"_SmeltRunStep\"", Succeed(packages.Build(project, "-t:Merge")), StringComparison.Ordinal);
        Assert.Equal(first, Times(project));

        // A recipe changed.
        Replace(project, "Density = 0.2", "Density = 0.3");
        Assert.Contains("average: up to date", Succeed(packages.Build(project, "-t:Merge")), StringComparison.Ordinal);
        var second = Times(project);
        Assert.Equal(first["average"], second["average"]);
        Assert.NotEqual(first["ties/lambda=1"], second["ties/lambda=1"]);

        // An input became older: no less a change than a newer one.
        File.SetLastWriteTimeUtc(Path.Combine(project, "models", "expert-a", "model.safetensors"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Succeed(packages.Build(project, "-t:Merge"));
        var third = Times(project);
        Assert.NotEqual(second["average"], third["average"]);

        // An output went away.
        Directory.Delete(Path.Combine(project, "out", "average"), recursive: true);
        Assert.Contains("ties: up to date", Succeed(packages.Build(project, "-t:Merge")), StringComparison.Ordinal);
        Assert.Equal(third["ties/lambda=1"], Times(project)["ties/lambda=1"]);

        Succeed(packages.Run(project, "dotnet", "clean", "--nologo"));
        Assert.Empty(Names(Path.Combine(project, "out")));
        Assert.False(Directory.Exists(Emitted(project)));
        Assert.True(File.Exists(Path.Combine(project, "models", "base", "model.safetensors")));
    }

    [Fact]
    public void Properties_choose_recipes_and_the_folder_and_merge_on_every_build()
    {
        var project = packages.Create("smelt-recipes", "Chooses");
        Succeed(packages.Build(project, "-p:SmeltMergeOnBuild=true", "-p:SmeltRecipes=average", "-p:SmeltOutput=made here"));
        Assert.Equal(["average"], Names(Path.Combine(project, "made here")));
        var wrong = packages.Build(project, "-t:Merge", "-p:SmeltRecipes=avrage");
        Assert.Contains("error SM8003: there is no recipe 'avrage'; known: average, ties.", Fail(wrong), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(project, "out")));
    }

    [Fact]
    public void Problems_are_errors_at_the_recipe()
    {
        var project = packages.Create("smelt-recipes", "Breaks");
        Replace(project, "models/expert-b", "models/expert-c");
        var text = Fail(packages.Build(project, "-t:Merge"));
        Assert.Matches(@"Recipes\.cs\(\d+,\d+\): error SM6001: average: .*models.expert-c", text);
        Assert.Matches(@"Recipes\.cs\(\d+,\d+\): error SM6001: ties: .*models.expert-c", text);
        Assert.False(Directory.Exists(Path.Combine(project, "out")));

        // What the compiler sees, the compiler says.
        Replace(project, "Density = 0.2", "Density = 1.2");
        Assert.Matches(@"Recipes\.cs\(\d+,\d+\): error SM2001", Fail(packages.Build(project)));
    }

    [Fact]
    public void A_recipe_that_does_not_fold_is_emitted_all_the_same()
    {
        var project = packages.Create("smelt-recipes", "Dynamic");
        Replace(project, Folded, "public static Recipe Define() { var experts = Models.Experts.Reverse().ToArray(); return new Average { Experts = [.. experts] }; }");
        Succeed(packages.Build(project, "-t:PlanRecipes"));
        Assert.Contains("expert-b\"},\"weight\":1},{\"model\":{\"folder\":\"models/expert-a", File.ReadAllText(Emitted(project, "recipes", "average.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Outputs_are_compared_with_what_was_verified()
    {
        var project = packages.Create("smelt-recipes", "Tests");
        Assert.Matches(@"Recipes\.cs\(\d+,\d+\): error SM8013: average: the output has no verified snapshot", Fail(packages.Build(project, "-t:TestRecipes")));
        foreach (var received in Directory.GetFiles(Path.Combine(project, "snapshots"), "*.received.txt"))
            File.Move(received, received.Replace(".received.", ".verified.", StringComparison.Ordinal));
        Succeed(packages.Build(project, "-t:TestRecipes"));
        Assert.Contains("Skipping target \"_SmeltRunStep\"", Succeed(packages.Build(project, "-t:TestRecipes")), StringComparison.Ordinal);
    }

    [Fact]
    public void An_experiment_is_merged_once()
    {
        var project = packages.Create("smelt-experiment", "Grid");
        Assert.Contains("3 cells", Succeed(packages.Build(project, "-t:Experiment")), StringComparison.Ordinal);
        Assert.Contains("Skipping target \"_SmeltRunStep\"", Succeed(packages.Build(project, "-t:Experiment")), StringComparison.Ordinal);
        var first = Times(project);
        File.SetLastWriteTimeUtc(Path.Combine(project, "models", "expert-a", "model.safetensors"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Succeed(packages.Build(project, "-t:Experiment"));
        Assert.All(Times(project), t => Assert.NotEqual(first[t.Key], t.Value));
        Succeed(packages.Run(project, "dotnet", "clean", "--nologo"));
        Assert.Empty(Names(Path.Combine(project, "out")));
    }

    [Fact]
    public void An_editor_runs_nothing_and_a_package_holds_the_configurations()
    {
        var project = packages.Create("smelt-recipes", "Packs");
        Succeed(packages.Run(project, "dotnet", "restore"));
        Succeed(packages.Build(project, "--no-restore", "-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true"));
        Assert.False(Directory.Exists(Emitted(project)));

        Succeed(packages.Run(project, "dotnet", "pack", "--nologo", "-c", "Debug", "-o", "packed"));
        using var package = ZipFile.OpenRead(Directory.GetFiles(Path.Combine(project, "packed"), "*.nupkg").Single());
        Assert.Equal(["recipes/average.json", "recipes/ties.json"], package.Entries.Select(e => e.FullName).Where(n => n.StartsWith("recipes/", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void Projects_of_a_solution_merge_side_by_side()
    {
        var folder = Path.Combine(packages.Root, "Many");
        Directory.CreateDirectory(folder);
        string[] names = ["One", "Two", "Three"];
        foreach (var name in names)
            packages.Create("smelt-recipes", Path.Combine("Many", name));

        // As an SDK, the same package needs nothing else in the project.
        File.WriteAllText(Path.Combine(folder, "Three", "Three.csproj"), $"<Project Sdk=\"Smelt.Sdk/{packages.Version}\" />");
        Succeed(packages.Run(folder, "dotnet", "new", "sln", "-n", "Many", "--debug:custom-hive", packages.Hive));
        Succeed(packages.Run(folder, "dotnet", ["sln", Directory.GetFiles(folder, "Many.sln*").Single(), "add", .. names]));
        Succeed(packages.Build(folder, "-m", "-p:SmeltMergeOnBuild=true"));
        foreach (var name in names)
            Assert.Equal(["average", "ties"], Names(Path.Combine(folder, name, "out")));
    }

    [Fact]
    public void A_single_file_is_merged_without_a_project()
    {
        var folder = packages.Create("smelt-recipes", "Single");
        File.Delete(Path.Combine(folder, "Single.csproj"));
        var source = "#:package Smelt.Sdk@" + packages.Version + "\n#:property PublishAot=false\nusing Smelt.Recipes;\nusing static Smelt.Recipes.Syntax;\n" + File.ReadAllText(Path.Combine(folder, "Recipes.cs"));
        File.WriteAllText(Path.Combine(folder, "merges.cs"), source);
        File.Delete(Path.Combine(folder, "Recipes.cs"));

        Assert.Contains("written to", Succeed(packages.Run(folder, "dotnet", "run", "merges.cs", "--", "--recipe", "average")), StringComparison.Ordinal);
        Assert.Equal(["average"], Names(Path.Combine(folder, "out")));

        var tool = Path.Combine(packages.Root, "packages", "smelt.sdk", packages.Version, "tools", "smelt.dll");
        Succeed(packages.Run(folder, "dotnet", "exec", tool, "run", "merges.cs", "--recipe", "average", "--out", "again"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "out", "average", "model.safetensors")), File.ReadAllBytes(Path.Combine(folder, "again", "model.safetensors")));
    }

    private static string Emitted(string project, params string[] path) => Path.Combine([project, "obj", "Debug", "net10.0", "smelt", .. path]);

    private static string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    /// <summary>When the manifest of each output was written.</summary>
    private static Dictionary<string, DateTime> Times(string project) => Directory.EnumerateFiles(Path.Combine(project, "out"), "smelt.json", SearchOption.AllDirectories)
        .ToDictionary(f => Path.GetRelativePath(Path.Combine(project, "out"), Path.GetDirectoryName(f)!).Replace('\\', '/'), File.GetLastWriteTimeUtc);

    private static void Replace(string project, string old, string replacement)
    {
        var file = Path.Combine(project, "Recipes.cs");
        var text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(old, replacement, StringComparison.Ordinal));
    }

    private static string Succeed(Outcome outcome)
    {
        Assert.True(outcome.Code == 0, outcome.Text);
        return outcome.Text;
    }

    private static string Fail(Outcome outcome)
    {
        Assert.True(outcome.Code != 0, outcome.Text);
        return outcome.Text;
    }
}
