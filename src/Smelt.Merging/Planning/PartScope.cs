using System.Diagnostics.CodeAnalysis;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>Where a merge inside a recipe stands: the merge itself and which of the output's tensors it makes.</summary>
/// <param name="Where">The JSON pointer of its recipe.</param>
/// <param name="Select">Finds its recipe in the whole one, at any sweep point.</param>
/// <param name="Takes">Whether a tensor belongs to it by its name.</param>
/// <param name="Slice">Its place in a stack; null where it takes all layers as they are.</param>
internal sealed record PartScope(string Where, Func<Recipe, Recipe> Select, Func<string, bool> Takes, SlicePlace? Slice)
{
    /// <summary>The merges of a recipe in the order of their tensors.</summary>
    public static IEnumerable<PartScope> Of(Recipe recipe) => Of(recipe, "", static r => r, static _ => true);

    private static IEnumerable<PartScope> Of(Recipe recipe, string where, Func<Recipe, Recipe> select, Func<string, bool> takes) => recipe switch
    {
        Stack stack => Slices(stack, where, select, takes),
        Modules modules => modules.Parts.SelectMany((part, i) =>
        {
            var globs = modules.Parts.Take(i + 1).Select(p => Glob.TryParse(p.Match, out _)!).ToArray();
            return Of(part.Merge, $"{where}/parts/{i}/merge", r => ((Modules)select(r)).Parts[i].Merge, name => takes(name) && Array.FindIndex(globs, g => g.IsMatch(name)) == i);
        }),
        { Layers: null } when recipe.Experts.All(e => e.Layers is null) => [new PartScope(where, select, takes, null)],

        // A merge of some layers alone is a stack of one slice.
        _ => [new PartScope(where, select, takes, new SlicePlace(new StackHeight(), true, true))],
    };

    private static IEnumerable<PartScope> Slices(Stack stack, string where, Func<Recipe, Recipe> select, Func<string, bool> takes)
    {
        var height = new StackHeight();
        return stack.Slices.Select((_, i) => new PartScope(
            $"{where}/slices/{i}",
            r => ((Stack)select(r)).Slices[i],
            takes,
            new SlicePlace(height, i == 0, i == stack.Slices.Count - 1)));
    }
}

/// <summary>The layers that the slices of one stack have made so far, with the number that each had in its model.</summary>
internal sealed class StackHeight
{
    /// <summary>For each layer of the output the number it had in the model that it came from.</summary>
    public List<int> Origins { get; } = [];
}

/// <summary>The place of a slice in its stack.</summary>
/// <param name="Height">What the slices below it have made.</param>
/// <param name="IsFirst">Whether it makes the tensors before the layers.</param>
/// <param name="IsLast">Whether it makes the tensors after the layers.</param>
internal sealed record SlicePlace(StackHeight Height, bool IsFirst, bool IsLast);

/// <summary>The layers that one slice takes of each of its inputs.</summary>
internal sealed class Slice
{
    private readonly SlicePlace _place;
    private readonly int[] _first;
    private readonly int _output;

    private Slice(SlicePlace place, string prefix, int[] first, int count)
    {
        _place = place;
        _first = first;
        _output = place.Height.Origins.Count;
        (Prefix, Count) = (prefix, count);
    }

    /// <summary>What precedes the layers' numbers in tensor names.</summary>
    public string Prefix { get; }

    /// <summary>The number of layers.</summary>
    public int Count { get; }

    /// <summary>Finds the layers of a slice, and adds them to the stack.</summary>
    /// <param name="scope">The slice's scope.</param>
    /// <param name="inputs">Its inputs, the donor first; each with the layers that it brings.</param>
    /// <param name="problems">Takes what is wrong.</param>
    /// <param name="slice">The slice; null where something is wrong.</param>
    public static bool TryFind(PartScope scope, IReadOnlyList<(PlannedInput Input, LayerRange? Layers)> inputs, List<Problem> problems, [NotNullWhen(true)] out Slice? slice)
    {
        slice = null;
        var runs = inputs.Select(i => new LayerRuns(i.Input.Checkpoint.Tensors.Select(t => t.Name).Where(scope.Takes))).ToArray();
        if (runs[0].Main is not [var prefix])
        {
            var found = runs[0].Main.Count == 0 ? "no layers" : "several runs of layers: " + string.Join(", ", runs[0].Main.Order(StringComparer.Ordinal).Select(p => p + "N"));
            problems.Add(PlanRules.NoSuchLayer.At(scope.Where + "/layers", $"{inputs[0].Input.Reference} has {found}.", "Write Modules with a part for each run, and the layers inside the parts."));
            return false;
        }

        var ranges = new (int First, int End)[inputs.Count];
        var errors = problems.Count;
        for (var i = 0; i < inputs.Count; i++)
        {
            var (total, layers) = (runs[i].Count(prefix), inputs[i].Layers!);
            ranges[i] = (layers.First, layers.End ?? total);
            if (ranges[i].End > total || ranges[i].First >= ranges[i].End)
                problems.Add(PlanRules.NoSuchLayer.At(scope.Where + "/layers", $"the layers are {layers}, but {inputs[i].Input.Reference} has {total} layers under {prefix}N.", $"Stay within 0..{total}."));
        }

        if (problems.Count == errors && ranges.Select(r => r.End - r.First).Distinct().Count() > 1)
            problems.Add(PlanRules.NoSuchLayer.At(scope.Where + "/layers", $"the inputs of the slice bring different numbers of layers: {string.Join(", ", ranges.Select((r, i) => $"{r.End - r.First} of {inputs[i].Input.Reference}"))}.", "Give every input as many layers."));
        if (problems.Count > errors)
            return false;
        slice = new Slice(scope.Slice!, prefix, [.. ranges.Select(r => r.First)], ranges[0].End - ranges[0].First);
        slice._place.Height.Origins.AddRange(Enumerable.Range(ranges[0].First, slice.Count));
        return true;
    }

    /// <summary>
    /// The number of a tensor's layer, counted from the first of the slice; -1 for a tensor outside the layers, null for one
    /// that the slice does not make.
    /// </summary>
    /// <param name="name">Its name in an input.</param>
    /// <param name="input">The input, the donor first.</param>
    public int? LayerOf(string name, int input)
    {
        if (LayerName.Parse(name) is { } layer && layer.Prefix == Prefix)
            return layer.Index - _first[input] is >= 0 and var k && k < Count ? k : null;
        return (ModelFamilies.StandsBeforeLayers(name) ? _place.IsFirst : _place.IsLast) ? -1 : null;
    }

    /// <summary>The name that a tensor of the donor has in the output.</summary>
    public string OutputName(string name, int layer) => layer < 0 ? name : LayerName.Parse(name)!.Value.At(_output + layer);

    /// <summary>The name that a tensor of the donor has in another input.</summary>
    public string NameIn(string name, int layer, int input) => layer < 0 ? name : LayerName.Parse(name)!.Value.At(_first[input] + layer);
}
