using System.Globalization;
using Smelt.Recipes;

namespace Smelt.Mergekit.Documents;

/// <summary>A value as YAML has it: a number, a yes or no, or a text.</summary>
public readonly record struct Literal
{
    private Literal(double? number, bool? flag, string? text)
    {
        Number = number;
        Flag = flag;
        Text = text;
    }

    /// <summary>The number; null where it is none. A text that is a number, as <c>1e-4</c> in YAML 1.1, is one.</summary>
    public double? Number { get; }

    /// <summary>The yes or no; null where it is none.</summary>
    public bool? Flag { get; }

    /// <summary>The text; null where it is a number or a yes or no.</summary>
    public string? Text { get; }

    /// <summary>A number.</summary>
    public static implicit operator Literal(double value) => new(value, null, null);

    /// <summary>A yes or no.</summary>
    public static implicit operator Literal(bool value) => new(null, value, null);

    /// <summary>A text.</summary>
    public static implicit operator Literal(string value) => new(null, null, value);

    /// <inheritdoc/>
    public override string ToString() => Number is { } number
        ? number.ToString("R", CultureInfo.InvariantCulture)
        : Flag is { } flag ? flag ? "true" : "false" : $"'{Text}'";
}

/// <summary>A value, or a gradient over the layers, for the tensors that a filter is part of the names of.</summary>
/// <param name="Filter">What the names hold; null for all tensors.</param>
/// <param name="Values">The value as the only element, or the gradient's entries.</param>
/// <param name="IsGradient">Whether it is a gradient, also one of a single entry.</param>
/// <param name="Place">Where it stands.</param>
public sealed record Condition(string? Filter, Sequence<Literal> Values, bool IsGradient, Place Place);

/// <summary>A parameter's setting: conditions, of which the first that holds for a tensor gives its value.</summary>
/// <param name="Name">The parameter.</param>
/// <param name="Conditions">The conditions; one without a filter where all tensors have the same.</param>
/// <param name="Place">Where the parameter stands.</param>
public sealed record Parameter(string Name, Sequence<Condition> Conditions, Place Place);
