using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Smelt.Conformance.Mergekit;

/// <summary>
/// A parameter as mergekit configurations write it: a value, a gradient over the layers (a list of values), or a list of
/// conditions, of which the first whose filter is part of the tensor's name holds.
/// </summary>
internal static class Setting
{
    /// <summary>The value for one tensor; null where the setting is absent or no condition holds, so that the next level decides.</summary>
    /// <param name="setting">The setting; null where it is absent.</param>
    /// <param name="tensor">The tensor's name.</param>
    /// <param name="position">The tensor's position among the layers.</param>
    public static double? Number(YamlNode? setting, string tensor, double position) => Choose(setting, tensor) switch
    {
        null => null,
        YamlSequenceNode gradient => Interpolate([.. gradient.Select(Scalar)], position),
        var value => Scalar(value),
    };

    /// <summary>As <see cref="Number"/> for a yes or no; a gradient takes its entry trunc(position * (n - 1)).</summary>
    public static bool? Flag(YamlNode? setting, string tensor, double position) => Choose(setting, tensor) switch
    {
        null => null,
        YamlSequenceNode gradient => Scalar(gradient[(int)(position * (gradient.Children.Count - 1))]) != 0,
        var value => Scalar(value) != 0,
    };

    /// <summary>The value or gradient that holds for a tensor.</summary>
    private static YamlNode? Choose(YamlNode? setting, string tensor) => setting switch
    {
        YamlSequenceNode { Children.Count: 0 } => null,
        YamlMappingNode condition => Holds(condition, tensor) ? condition["value"] : null,
        YamlSequenceNode list when list[0] is YamlMappingNode =>
            list.Cast<YamlMappingNode>().FirstOrDefault(c => Holds(c, tensor))?["value"],
        _ => setting,
    };

    private static bool Holds(YamlMappingNode condition, string tensor) =>
        !condition.Children.TryGetValue("filter", out var filter)
        || filter is not YamlScalarNode { Value: { Length: > 0 } text }
        || text is "*" or "null" or "~"
        || tensor.Contains(text, StringComparison.Ordinal);

    /// <summary>Linear interpolation between the entries of a gradient that lie around a position.</summary>
    private static double Interpolate(double[] values, double position)
    {
        var place = position * (values.Length - 1);
        var index = (int)place;
        var fraction = place - index;
        return ((1 - fraction) * values[index]) + (fraction * values[Math.Min(index + 1, values.Length - 1)]);
    }

    private static double Scalar(YamlNode node) => ((YamlScalarNode)node).Value!.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" => 1,
        "false" or "no" or "off" => 0,
        var text => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}
