using Smelt.Recipes;

namespace Smelt.Mergekit.Methods;

/// <summary>What a parameter's value is.</summary>
internal enum ParameterKind
{
    /// <summary>A number.</summary>
    Number,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A yes or no.</summary>
    Flag,

    /// <summary>A yes or no that stands for <see cref="Recipes.Rescale.L1"/> or <see cref="Recipes.Rescale.None"/>.</summary>
    RescaleFlag,

    /// <summary>Read by mergekit and without effect on the result.</summary>
    Ignored,
}

/// <summary>A parameter of a merge method, and the slot of a recipe that it fills.</summary>
/// <param name="Name">Its name in mergekit.</param>
/// <param name="Slot">The property of the recipe, or of its experts; empty where the parameter is ignored.</param>
/// <param name="Kind">What its value is.</param>
internal sealed record ParameterMap(string Name, string Slot, ParameterKind Kind = ParameterKind.Number)
{
    /// <summary>Whether each input has a value of its own; else it is one for the whole merge.</summary>
    public bool PerInput { get; init; }

    /// <summary>Whether it must be given.</summary>
    public bool Required { get; init; }

    /// <summary>Why it is ignored; for <see cref="ParameterKind.Ignored"/>.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The slot of experts; null where they have none.</summary>
    public Slot? OfExpert => PerInput ? Find(typeof(Expert)) : null;

    /// <summary>The slot of rules for tensors; null where it can't differ between tensors.</summary>
    public Slot? OfRule => Find(typeof(TensorOverride));

    /// <summary>The slot of a recipe; null where it has none.</summary>
    public Slot? OfRecipe(Type recipe) => Find(recipe);

    private Slot? Find(Type owner) => Slots.Of(owner).FirstOrDefault(s => s.Property == Slot);
}
