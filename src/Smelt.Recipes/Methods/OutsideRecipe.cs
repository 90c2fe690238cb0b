namespace Smelt.Recipes;

/// <summary>
/// A recipe of a method of another assembly that is not loaded: known by its declaration while that assembly is compiled, or
/// by its configuration where no code of it may run.
/// </summary>
/// <param name="Method">The method's id.</param>
/// <param name="OwnSlots">Its slots but for those of all recipes.</param>
/// <param name="IsTaskVector">Whether it merges task vectors, and so has a base and a lambda.</param>
/// <param name="Facts">What the record says of its method, by the names of <see cref="Recipe"/>'s properties.</param>
internal sealed record OutsideRecipe(string Method, IReadOnlyList<Slot> OwnSlots, bool IsTaskVector, IReadOnlyDictionary<string, object> Facts) : Recipe
{
    private Dictionary<string, object?> Values { get; init; } = [];

    /// <summary>All slots, those of every recipe first.</summary>
    public IReadOnlyList<Slot> AllSlots => [.. Slots.Of(typeof(Recipe)), .. OwnSlots];

    /// <inheritdoc/>
    public override bool NeedsBase => Fact(nameof(NeedsBase), IsTaskVector);

    /// <inheritdoc/>
    public override bool UsesBase => Fact(nameof(UsesBase), NeedsBase);

    /// <inheritdoc/>
    public override bool UsesWeights => Fact(nameof(UsesWeights), true);

    /// <inheritdoc/>
    public override bool DividesByWeights => Fact(nameof(DividesByWeights), false);

    /// <inheritdoc/>
    public override bool UsesStatistics => Fact(nameof(UsesStatistics), false);

    /// <inheritdoc/>
    public override int FewestExperts => Fact(nameof(FewestExperts), 1);

    /// <inheritdoc/>
    public override int MostExperts => Fact(nameof(MostExperts), int.MaxValue);

    /// <summary>A slot of such a recipe.</summary>
    /// <param name="property">The name of the property.</param>
    /// <param name="type">The type of its values.</param>
    /// <param name="attribute">What it means and its range.</param>
    public static Slot NewSlot(string property, Type type, SlotAttribute attribute) => new(
        property,
        type,
        attribute,
        owner => ((OutsideRecipe)owner).Values.TryGetValue(property, out var value) ? value : null,
        (owner, value) => ((OutsideRecipe)owner).WithValue(property, value));

    /// <inheritdoc/>
    public override Recipe Resolve()
    {
        var recipe = base.Resolve();
        return IsTaskVector && Slots.Find(OwnSlots, "lambda") is { } lambda && lambda.Get(recipe) is null
            ? (Recipe)lambda.With(recipe, (Scalar)1)
            : recipe;
    }

    private OutsideRecipe WithValue(string property, object? value) => this with { Values = new(Values) { [property] = value } };

    private T Fact<T>(string name, T otherwise) => Facts.TryGetValue(name, out var fact) ? (T)fact : otherwise;
}
