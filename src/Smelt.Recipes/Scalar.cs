namespace Smelt.Recipes;

/// <summary>
/// A number of a recipe: one constant, a sweep over several values (<see cref="Syntax.Sweep(double[])"/>, or
/// <see cref="Syntax.Zip(string, double[])"/> together with others), which makes one output for each, or a gradient over the
/// depth of the model (<see cref="Syntax.Gradient(double[])"/>). A plain number converts by itself: <c>Weight = 0.5</c>.
/// </summary>
public sealed record Scalar
{
    private Scalar(Sequence<double> values, bool isSweep, bool isGradient, string? axis = null)
    {
        Axis = axis;
        Values = values;
        IsSweep = isSweep;
        IsGradient = isGradient;
    }

    /// <summary>The constant as the only element, the points of the sweep, or the values of the gradient, in the order written.</summary>
    public Sequence<double> Values { get; }

    /// <summary>Whether this is a sweep, also one of a single point.</summary>
    public bool IsSweep { get; }

    /// <summary>The axis that this sweep shares with other numbers of the recipe, all of which advance together; null for a sweep of its own.</summary>
    public string? Axis { get; }

    /// <summary>Whether this is a gradient, also one of a single value.</summary>
    public bool IsGradient { get; }

    /// <summary>The constant. A sweep has none: expand the recipe first (<see cref="SweepExpansion"/>). Nor has a gradient: see <see cref="At"/>.</summary>
    /// <exception cref="InvalidOperationException">This is a sweep or a gradient.</exception>
    public double Value => IsSweep ? throw new InvalidOperationException("A sweep has no single value; expand the recipe into its points first.")
        : IsGradient ? throw new InvalidOperationException("A gradient has no single value; ask for the one at a depth.")
        : Values[0];

    /// <summary>
    /// The value at a depth: the constant itself, or the gradient's values joined by straight lines, the first at depth 0
    /// and the last at depth 1.
    /// </summary>
    /// <param name="depth">0 for the first layer of a range and for tensors outside the layers, 1 for the last layer.</param>
    /// <exception cref="InvalidOperationException">This is a sweep.</exception>
    public double At(double depth)
    {
        if (!IsGradient)
            return Value;
        var place = depth * (Values.Count - 1);
        var lower = (int)place;
        var upper = Math.Min(lower + 1, Values.Count - 1);
        var fraction = place - lower;
        return ((1 - fraction) * Values[lower]) + (fraction * Values[upper]);
    }

    /// <summary>A constant.</summary>
    public static implicit operator Scalar(double value) => new(new Sequence<double>([value]), false, false);

    /// <summary>A constant, from a whole number.</summary>
    public static implicit operator Scalar(int value) => (double)value;

    /// <summary>A constant, from a whole number; beyond 2^53 it is refused by rule SM2001.</summary>
    public static implicit operator Scalar(long value) => (double)value;

    /// <inheritdoc/>
    public override string ToString() => IsSweep || IsGradient
        ? (IsGradient ? "Gradient(" : Axis is null ? "Sweep(" : $"Zip(\"{Axis}\", ") + string.Join(", ", Values.Select(Configuration.CanonicalJson.Number)) + ")"
        : Configuration.CanonicalJson.Number(Value);

    internal static Scalar Sweep(double[] points) => new(new Sequence<double>(points), true, false);

    internal static Scalar Zip(string axis, double[] points) => new(new Sequence<double>(points), true, false, axis);

    internal static Scalar Gradient(double[] values) => new(new Sequence<double>(values), false, true);
}
