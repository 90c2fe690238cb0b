namespace Smelt.Recipes;

/// <summary>
/// Marks a property as a slot of a recipe: part of the configuration under its camelCase name, with its range. The rules,
/// the configuration's reader and writer and the published JSON Schema all follow from it.
/// </summary>
/// <param name="summary">What the slot means, in a few words; the description in the JSON Schema.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SlotAttribute(string summary) : Attribute
{
    /// <summary>What the slot means.</summary>
    public string Summary { get; } = summary;

    /// <summary>The smallest value allowed.</summary>
    public double Min { get; init; } = double.NegativeInfinity;

    /// <summary>The largest value allowed.</summary>
    public double Max { get; init; } = double.PositiveInfinity;

    /// <summary>Whether only whole numbers are allowed.</summary>
    public bool Integer { get; init; }

    /// <summary>Whether a value must be given, as no default would suit.</summary>
    public bool Required { get; init; }

    /// <summary>
    /// The value of a slot that is not given: a number, a bool or a text. Null leaves it to <see cref="Recipe.Resolve"/>.
    /// </summary>
    public object? Default { get; init; }

    /// <summary>The value of the range that is nearest to one outside of it.</summary>
    internal double Nearest(double value)
    {
        var inside = Math.Min(Math.Max(Integer ? Math.Round(value) : value, Min), Max);
        return double.IsInfinity(inside) ? 0 : inside;
    }

    /// <summary>The range in words: <c>0 &lt;= density &lt;= 1</c>.</summary>
    public string Range(string name)
    {
        var number = Integer ? "a whole number" : "a finite number";
        if (double.IsInfinity(Min) && double.IsInfinity(Max))
            return number;
        var low = double.IsInfinity(Min) ? "" : Configuration.CanonicalJson.Number(Min) + " <= ";
        var high = double.IsInfinity(Max) ? "" : " <= " + Configuration.CanonicalJson.Number(Max);
        return low + name + high + (Integer ? ", a whole number" : "");
    }
}

/// <summary>Names the merge method of a recipe type in configurations, for example <c>ties</c>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class MethodAttribute(string id, string summary) : Attribute
{
    /// <summary>The method's id.</summary>
    public string Id { get; } = id;

    /// <summary>The method in one line.</summary>
    public string Summary { get; } = summary;
}

/// <summary>
/// Marks a static partial class, or a partial class that is an <c>IRecipe</c>, as a recipe. It has a method
/// <c>public static Recipe Define()</c> whose constant expression the generator turns into the recipe's configuration.
/// </summary>
/// <param name="name">The recipe's name: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>; it names the output folder.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RecipeAttribute(string name) : Attribute
{
    /// <summary>The recipe's name.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// Whether the recipe must say all that its output depends on: seeds of random methods (rule SM2013) and commits of hub
    /// models (rule SM2014).
    /// </summary>
    public bool Reproducible { get; init; }

    /// <summary>The name of a recipe's class; null where it is not marked as one.</summary>
    public static string? NameOf(Type recipe) =>
        recipe.GetCustomAttributes(typeof(RecipeAttribute), false) is [RecipeAttribute attribute, ..] ? attribute.Name : null;
}

/// <summary>
/// Marks a static partial class as an experiment. It has a method <c>public static Experiment Define()</c>, whose constant
/// expression the generator turns into the experiment's configuration.
/// </summary>
/// <param name="name">The experiment's name, with the letters that a recipe's may have; it names the output folder.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ExperimentAttribute(string name) : Attribute
{
    /// <summary>The experiment's name.</summary>
    public string Name { get; } = name;
}

#if NET
/// <summary>A recipe that others can name as a stage: <c>From&lt;Other&gt;()</c>. C# takes no static class there, so its class is not static.</summary>
public interface IRecipe
{
    /// <summary>The recipe.</summary>
    static abstract Recipe Define();
}
#endif
