namespace Smelt.Recipes;

/// <summary>
/// RAM: where several experts changed an element their task vectors are averaged, where one did its own is taken whole
/// (Reinforced Agent Merging, as in mergekit). out = b + Σ over changed of d_i / c, c the number of experts with |d_i| &gt; epsilon.
/// </summary>
[Method("ram", "task vectors averaged over the experts that changed an element")]
public sealed record Ram : RamRecipe;
