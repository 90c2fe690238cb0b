using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>A parameter that has no default and is given by filters alone, so that every tensor must match one.</summary>
/// <param name="Parameter">The parameter.</param>
/// <param name="Model">The model that it belongs to; null for one of the whole merge.</param>
/// <param name="Globs">The patterns of its filters.</param>
/// <param name="Scope">The tensors that the merge makes.</param>
/// <param name="Place">Where it stands.</param>
internal sealed record Coverage(string Parameter, ModelReference? Model, IReadOnlyList<string> Globs, UnitScope Scope, Place Place)
{
    private const int Named = 3;

    /// <summary>Reports the tensors that no filter names.</summary>
    public void Check(IEnumerable<string> tensors, ProblemList problems)
    {
        var globs = new GlobSet(Globs.Select(g => Glob.TryParse(g, out _)));
        var part = Glob.TryParse(Scope.Match, out _)!;
        var left = tensors.Where(part.IsMatch).Where(t => !Scope.LayersOnly || InLayer(t)).Where(t => globs.Matching(t).Length == 0).ToArray();
        if (left.Length > 0)
            problems.Add(MergekitRules.MissingParameter, Place, $"{Parameter}{(Model is null ? "" : " of " + Model)} is given for some tensors only, not for {string.Join(", ", left.Take(Named))}{(left.Length > Named ? $" and {left.Length - Named} more" : "")}.", "Add '- value: ...' as the last condition.");
    }

    /// <summary>Whether a tensor belongs to a layer: a segment of its name is a number.</summary>
    private static bool InLayer(string tensor) => tensor.Split('.').Any(s => s.Length > 0 && s.All(char.IsAsciiDigit));
}
