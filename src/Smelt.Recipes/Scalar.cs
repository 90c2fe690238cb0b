namespace Smelt.Recipes;

/// <summary>
/// A number of a recipe: one constant, or a sweep over several values (<see cref="Syntax.Sweep(double[])"/>), which makes
/// one output for each. A plain number converts by itself: <c>Weight = 0.5</c>.
/// </summary>
public sealed record Scalar
{
    internal Scalar(Sequence<double> values, bool isSweep)
    {
        Values = values;
        IsSweep = isSweep;
    }

    /// <summary>The constant as the only element, or the points of the sweep in the order written.</summary>
    public Sequence<double> Values { get; }

    /// <summary>Whether this is a sweep, also one of a single point.</summary>
    public bool IsSweep { get; }

    /// <summary>The constant. A sweep has none: expand the recipe first (<see cref="SweepExpansion"/>).</summary>
    /// <exception cref="InvalidOperationException">This is a sweep.</exception>
    public double Value => IsSweep
        ? throw new InvalidOperationException("A sweep has no single value; expand the recipe into its points first.")
        : Values[0];

    /// <summary>A constant.</summary>
    public static implicit operator Scalar(double value) => new(new Sequence<double>([value]), false);

    /// <summary>A constant, from a whole number.</summary>
    public static implicit operator Scalar(int value) => (double)value;

    /// <summary>A constant, from a whole number; beyond 2^53 it is refused by rule SM2001.</summary>
    public static implicit operator Scalar(long value) => (double)value;

    /// <inheritdoc/>
    public override string ToString() => IsSweep
        ? "Sweep(" + string.Join(", ", Values.Select(Configuration.CanonicalJson.Number)) + ")"
        : Configuration.CanonicalJson.Number(Value);
}
