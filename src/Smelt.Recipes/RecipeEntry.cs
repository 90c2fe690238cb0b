namespace Smelt.Recipes;

/// <summary>A recipe of an assembly, as its generated registry lists it.</summary>
/// <param name="Name">The recipe's name.</param>
/// <param name="Define">Makes the recipe.</param>
/// <param name="Configuration">Its canonical JSON; null where the compiler could not fold it.</param>
/// <param name="ConfigurationHash">The SHA-256 of <paramref name="Configuration"/>.</param>
public sealed record RecipeEntry(string Name, Func<Recipe> Define, string? Configuration, string? ConfigurationHash);
