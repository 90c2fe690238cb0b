namespace Smelt.Recipes;

/// <summary>A rule for the tensors whose names a glob matches: <see cref="Syntax.On"/> or <see cref="Syntax.Keep"/>.</summary>
public abstract record TensorRule
{
    private protected TensorRule()
    {
    }
}

/// <summary>
/// Other values for some tensors, written <c>On("**.mlp.**") with { Density = 0.3 }</c>. Of several rules that match a
/// tensor, the first that sets a value wins; a rule of an expert comes before the recipe's.
/// </summary>
/// <param name="Match">The glob over tensor names, see <see cref="Glob"/>.</param>
public sealed record TensorOverride(string Match) : TensorRule
{
    /// <summary>The weight of every expert in these tensors; in an expert's own rules, of that expert.</summary>
    [Slot("the weight in these tensors")]
    public Scalar? Weight { get; init; }

    /// <summary>The density in these tensors, 0 to 1.</summary>
    [Slot("the fraction kept in these tensors", Min = 0, Max = 1)]
    public Scalar? Density { get; init; }

    /// <summary>The fraction dropped as outliers in these tensors, 0 to 1.</summary>
    [Slot("the fraction dropped as outliers in these tensors", Min = 0, Max = 1)]
    public Scalar? Gamma { get; init; }

    /// <summary>The epsilon in these tensors, for methods with a slot of this name and within its range; in an expert's own rules that of <see cref="Della"/>.</summary>
    [Slot("epsilon in these tensors")]
    public Scalar? Epsilon { get; init; }

    /// <summary>The scale of the merged task vector in these tensors; not in an expert's own rules.</summary>
    [Slot("lambda in these tensors")]
    public Scalar? Lambda { get; init; }

    /// <summary>How far from the base to the expert in these tensors, for methods with a slot of this name; not in an expert's own rules.</summary>
    [Slot("t in these tensors")]
    public Scalar? T { get; init; }

    /// <summary>The factor of these tensors in a <see cref="Passthrough"/>; not in an expert's own rules.</summary>
    [Slot("the factor of these tensors")]
    public Scalar? Scale { get; init; }

    /// <summary>The fraction selected in these tensors by <see cref="Sce"/>, 0 to 1; not in an expert's own rules.</summary>
    [Slot("the fraction selected in these tensors", Min = 0, Max = 1)]
    public Scalar? SelectTopK { get; init; }

    /// <summary>
    /// The cap of <see cref="RamPlus"/>, or how far <see cref="ExPO"/> goes, in these tensors, with the range it has there;
    /// not in an expert's own rules.
    /// </summary>
    [Slot("alpha in these tensors")]
    public Scalar? Alpha { get; init; }
}

/// <summary>Tensors that are taken from the base as they are.</summary>
/// <param name="Globs">The globs over tensor names, see <see cref="Glob"/>.</param>
public sealed record KeepRule(Sequence<string> Globs) : TensorRule;
