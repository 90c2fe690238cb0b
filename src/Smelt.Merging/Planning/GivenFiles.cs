using Smelt.Checkpoints;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>The files of masks and signs that a recipe names beside its models.</summary>
internal static class GivenFiles
{
    /// <summary>The paths as written, those of all its merges, each once and in their order; those of its stages are not among them.</summary>
    public static IReadOnlyList<string> Of(Recipe recipe) =>
        [.. PartScope.Of(recipe).Select(scope => scope.Select(recipe)).SelectMany(leaf => new[] { MasksOf(leaf), SignsOf(leaf) }).OfType<string>().Distinct(StringComparer.Ordinal)];

    /// <summary>The file of masks of one merge; null where it has none.</summary>
    public static string? MasksOf(Recipe recipe) => recipe switch { IRandomDrop drop => drop.MaskFile, Masked masked => masked.MaskFile, _ => null };

    /// <summary>The file of signs of one merge; null where it has none.</summary>
    public static string? SignsOf(Recipe recipe) => recipe is ElectedRecipe { Election: Election.SignFile, SignFile: { } file } ? file : null;

    /// <summary>Opens such a file; null where there is none to open or it can't be read, which is a problem.</summary>
    public static Checkpoint? Open(string? file, string root, List<Problem> problems)
    {
        if (file is null)
            return null;
        try
        {
            return CheckpointFolder.Open(Path.GetFullPath(file, root));
        }
        catch (InvalidInputException invalid)
        {
            problems.AddRange(invalid.Problems);
            return null;
        }
    }
}
