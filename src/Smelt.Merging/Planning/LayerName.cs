using System.Globalization;

namespace Smelt.Merging.Planning;

/// <summary>
/// A tensor name that belongs to a layer, taken apart at its first segment of digits: <c>model.layers.</c>, 3,
/// <c>.mlp.up_proj.weight</c>. That holds for every architecture whose modules are lists, so no table is needed.
/// </summary>
/// <param name="Name">The name.</param>
/// <param name="Start">Where the layer's number starts in it.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Index">The layer's number.</param>
internal readonly record struct LayerName(string Name, int Start, int End, int Index)
{
    /// <summary>What precedes the layer's number.</summary>
    public string Prefix => Name[..Start];

    /// <summary>Takes a name apart; null for a tensor outside the layers.</summary>
    public static LayerName? Parse(string name)
    {
        for (var start = 0; start < name.Length;)
        {
            var end = name.IndexOf('.', start) is >= 0 and var dot ? dot : name.Length;
            if (int.TryParse(name.AsSpan(start, end - start), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                return new LayerName(name, start, end, index);
            start = end + 1;
        }

        return null;
    }

    /// <summary>The name of the same tensor in another layer.</summary>
    public string At(int index) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{index}{Name.AsSpan(End)}");
}

/// <summary>The runs of layers of a model by the prefix of their names, with the number of layers of each.</summary>
internal sealed class LayerRuns
{
    private static readonly string[] ListNames = ["layers.", "layer.", "h.", "blocks.", "block."];
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    public LayerRuns(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (LayerName.Parse(name) is { Prefix: var prefix, Index: var index })
                _counts[prefix] = Math.Max(_counts.GetValueOrDefault(prefix), index + 1);
        }
    }

    /// <summary>
    /// The prefixes under which layers are listed; where some have a name that lists of layers commonly have, those alone.
    /// </summary>
    public IReadOnlyList<string> Main
    {
        get
        {
            var common = _counts.Keys.Where(p => ListNames.Any(n => p == n || p.EndsWith("." + n, StringComparison.Ordinal))).ToArray();
            return common.Length > 0 ? common : [.. _counts.Keys];
        }
    }

    /// <summary>The number of layers under a prefix; 0 where there are none.</summary>
    public int Count(string prefix) => _counts.GetValueOrDefault(prefix);

    /// <summary>Where a tensor stands in the depth of its run: 0 for the first layer and outside of layers, 1 for the last.</summary>
    public double Depth(string name) => LayerName.Parse(name) is { } layer ? DepthOf(layer.Index, Count(layer.Prefix)) : 0;

    /// <summary>Where a layer of a run stands; the only one stands at its end, as mergekit has it.</summary>
    public static double DepthOf(int index, int count) => count > 1 ? (double)index / (count - 1) : 1;
}
