namespace Smelt.Targets.Components;

/// <summary>The recipes that components work on, and the tool that does the work. Relative paths start from the root folder.</summary>
public interface IHasRecipes : ISmeltBuild
{
    /// <summary>Where the recipes are.</summary>
    [Parameter("The recipe project's folder, an assembly, or a configuration.")]
    string Project => TryGetValue(() => Project) ?? "recipes";

    /// <summary>The recipes wanted.</summary>
    [Parameter("The recipe to work on; all of them without it.")]
    string[] Recipe => TryGetValue(() => Recipe) ?? [];

    /// <summary>The folder of the outputs: one folder for each recipe in it.</summary>
    [Parameter("The folder of the outputs: one folder for each recipe in it.")]
    string Output => TryGetValue(() => Output) ?? "out";

    /// <summary>Worker threads; null for all cores.</summary>
    [Parameter("Worker threads.", AffectsOutput = false)]
    int? Threads => TryGetValue(() => Threads);

    /// <summary>The memory that a merge may take; null for the tool's default.</summary>
    [Parameter("The memory that a merge may take, as in 2GiB.", AffectsOutput = false)]
    string? MaxMemory => TryGetValue(() => MaxMemory);

    /// <summary>The tool's program or assembly; null for the one of the folder's tool manifest, else the one on PATH.</summary>
    [Parameter("The tool: smelt, or smelt.dll.", AffectsOutput = false)]
    string? Tool => TryGetValue(() => Tool);

    /// <summary>Runs the tool in the root folder.</summary>
    /// <param name="capture">Whether its results are returned instead of shown.</param>
    /// <param name="arguments">Its command line.</param>
    /// <returns>Its results where they are captured.</returns>
    /// <exception cref="CommandFailedException">It can't be started, or did not succeed.</exception>
    string RunSmelt(bool capture, params IReadOnlyList<string> arguments)
    {
        var manifest = PathOf(".config", "dotnet-tools.json");
        string[] command = Tool is { } tool ? tool.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? ["dotnet", "exec", PathOf(tool)] : [tool]
            : File.Exists(manifest) && File.ReadAllText(manifest).Contains("smelt.tool", StringComparison.OrdinalIgnoreCase) ? ["dotnet", "tool", "run", "smelt", "--"]
            : ["smelt"];
        try
        {
            string[] line = [.. command[1..], .. arguments];
            if (capture)
                return Command.Read(this, command[0], line);
            Command.Run(this, command[0], line);
            return "";
        }
        catch (CommandFailedException e)
        {
            throw new CommandFailedException($"smelt {arguments[0]}: {e.Message}");
        }
    }

    /// <summary>The options that every verb that merges has.</summary>
    internal IEnumerable<string> MergeOptions =>
        [.. Threads is { } threads ? new[] { "--threads", $"{threads}" } : [], .. MaxMemory is { } memory ? new[] { "--max-memory", memory } : []];

    /// <summary>The options that select recipes.</summary>
    internal static IEnumerable<string> Select(IEnumerable<string> recipes) => recipes.SelectMany(r => new[] { "--recipe", r });
}
