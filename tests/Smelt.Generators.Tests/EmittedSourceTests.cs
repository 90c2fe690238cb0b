using Smelt.Snapshots;

namespace Smelt.Generators.Tests;

/// <summary>The sources that the generator adds to a recipe project, as a whole.</summary>
public class EmittedSourceTests
{
    [Fact]
    public void Sources_of_a_project()
    {
        var compilation = RecipeCompilation.Of(
            """
            namespace Study
            {
                [Recipe("mean")] public static partial class Mean { public static Recipe Define() => new Average { Experts = [Folder("a"), Folder("b")] }; }
                public static partial class Outer
                {
                    [Recipe("late")] internal static partial class Late { public static Recipe Define() => new Average { Experts = [Folder(Environment.MachineName)] }; }
                }
            }
            """);
        var trees = RecipeCompilation.Driver().RunGenerators(compilation).GetRunResult().GeneratedTrees;
        Snapshot.Match(string.Concat(trees.OrderBy(t => t.FilePath, StringComparer.Ordinal).Select(t => $"// ==== {Path.GetFileName(t.FilePath)}\n{t}\n")));
    }
}
