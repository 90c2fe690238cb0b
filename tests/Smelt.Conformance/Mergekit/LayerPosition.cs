using System.Globalization;

namespace Smelt.Conformance.Mergekit;

/// <summary>
/// Where a tensor stands among the layers of its module, from 0 to 1: gradients run along it. A single layer stands at 1,
/// tensors outside layers (embeddings, final norm, head) at 0.
/// </summary>
internal sealed class LayerPosition
{
    private readonly Dictionary<string, int> _layers = new(StringComparer.Ordinal);

    /// <param name="tensors">The names of all tensors of a model.</param>
    public LayerPosition(IEnumerable<string> tensors)
    {
        foreach (var (module, index) in tensors.Select(Split).OfType<(string, int)>())
            _layers[module] = Math.Max(_layers.GetValueOrDefault(module), index + 1);
    }

    /// <summary>The position of a tensor.</summary>
    public double Of(string tensor)
    {
        if (Split(tensor) is not { } layer)
            return 0;
        var layers = _layers[layer.Module];
        return layers == 1 ? 1 : layer.Index / (double)(layers - 1);
    }

    /// <summary>The module (everything before the first segment that is a number) and that number.</summary>
    private static (string Module, int Index)? Split(string tensor)
    {
        var segments = tensor.Split('.');
        var at = Array.FindIndex(segments, s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        return at < 0 ? null : (string.Join('.', segments[..at]), int.Parse(segments[at], CultureInfo.InvariantCulture));
    }
}
