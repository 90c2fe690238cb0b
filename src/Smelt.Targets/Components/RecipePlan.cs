using System.Text.Json;
using System.Text.Json.Nodes;
using Smelt.Recipes;

namespace Smelt.Targets.Components;

/// <summary>What is planned for a recipe, without what differs from day to day, such as free memory.</summary>
/// <param name="Recipe">Its name.</param>
/// <param name="Made">The tool, and the hash of the recipe's configuration.</param>
/// <param name="Reads">The files and folders that are read.</param>
/// <param name="Outputs">The folders that are written.</param>
internal sealed record RecipePlan(string Recipe, string Made, IReadOnlyList<string> Reads, IReadOnlyList<string> Outputs)
{
    /// <summary>The file in which plans are kept for later targets.</summary>
    public static string FileOf(IHasRecipes build) =>
        build.PathOf(".smelt", "state", $"{Path.GetFileName(build.PathOf(build.Project))}.plan{(build.Partition.Total == 1 ? "" : "." + build.Partition.ToString().Replace("/", "of", StringComparison.Ordinal))}.json");

    /// <summary>Plans, shows and keeps what is planned.</summary>
    public static void Make(IHasRecipes build)
    {
        var text = build.RunSmelt(capture: true, ["plan", build.PathOf(build.Project), "--json", "--out", build.PathOf(build.Output), .. IHasRecipes.Select(build.Recipe), .. build.MergeOptions]);
        var document = JsonNode.Parse(text)!;
        var nodes = document["plans"]!.AsArray();
        var plans = nodes.Select(p => Of(p!, (string)document["tool"]!, nodes.Count == 1, build)).ToArray();
        Directory.CreateDirectory(Path.GetDirectoryName(FileOf(build))!);
        File.WriteAllText(FileOf(build), JsonSerializer.Serialize(plans));
        foreach (var (plan, node) in plans.Zip(nodes))
            build.Out.WriteLine($"{plan.Recipe}: reads {(ByteSize)(long)node!["bytesPerPass"]!} x {node["passes"]}, writes {(ByteSize)(long)node["bytesToWrite"]!} to {string.Join(", ", plan.Outputs.Select(o => Path.GetRelativePath(build.RootDirectory, o)))}");
    }

    /// <summary>What was planned last; nothing where nothing was.</summary>
    public static IReadOnlyList<RecipePlan> Read(IHasRecipes build) =>
        File.Exists(FileOf(build)) ? JsonSerializer.Deserialize<RecipePlan[]>(File.ReadAllText(FileOf(build)))! : [];

    /// <summary>One recipe's <c>--out</c> is the folder of its output itself; here every recipe has a folder below.</summary>
    private static RecipePlan Of(JsonNode plan, string tool, bool single, IHasRecipes build) => new(
        (string)plan["recipe"]!,
        $"{tool} {plan["sha256"]}",
        [.. plan["reads"]!.AsArray().Select(r => (string)r!)],
        [.. plan["outputs"]!.AsArray().Select(o => build.PathOf(build.Output, single ? (string)plan["recipe"]! : "", Path.GetRelativePath(build.PathOf(build.Output), (string)o!)))]);
}
