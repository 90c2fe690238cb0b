using System.Reflection;

namespace Smelt.Recipes;

/// <summary>One slot of a recipe, an expert or a tensor rule: a property with its name in configurations and its range.</summary>
/// <param name="Property">The property.</param>
/// <param name="Name">Its name in configurations, camelCase.</param>
/// <param name="Attribute">What it means and its range.</param>
public sealed record Slot(PropertyInfo Property, string Name, SlotAttribute Attribute)
{
    /// <summary>The type of the slot's value, nullability taken off.</summary>
    public Type Type { get; } = Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;

    /// <summary>The value in <paramref name="owner"/>; null where it is not given.</summary>
    public object? Get(object owner) => Property.GetValue(owner);
}

/// <summary>The slots of types and the methods there are: what the rules, the reader, the writer and the schema go by.</summary>
public static class Slots
{
    private static readonly Dictionary<Type, IReadOnlyList<Slot>> Cache = [];

    /// <summary>The recipe types by method id, in ordinal order of the ids.</summary>
    public static IReadOnlyDictionary<string, Type> Methods { get; } =
        typeof(Recipe).Assembly.GetTypes()
            .Where(t => !t.IsAbstract && typeof(Recipe).IsAssignableFrom(t))
            .OrderBy(MethodId, StringComparer.Ordinal)
            .ToDictionary(MethodId);

    /// <summary>The method id of a recipe type.</summary>
    public static string MethodId(Type recipe) => recipe.GetCustomAttribute<MethodAttribute>()!.Id;

    /// <summary>The slots of a type, those of its base types first.</summary>
    public static IReadOnlyList<Slot> Of(Type type)
    {
        lock (Cache)
        {
            if (!Cache.TryGetValue(type, out var slots))
            {
                slots = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                    .Select(p => (Property: p, Attribute: p.GetCustomAttribute<SlotAttribute>()))
                    .Where(p => p.Attribute is not null)
                    .OrderBy(p => Depth(p.Property.DeclaringType!)).ThenBy(p => p.Property.MetadataToken)
                    .Select(p => new Slot(p.Property, CamelCase(p.Property.Name), p.Attribute!))
                    .ToArray();
                Cache.Add(type, slots);
            }

            return slots;
        }
    }

    /// <summary>Whether a number may differ between tensors, so that a gradient has a meaning: those that tensor rules can set.</summary>
    public static bool TakesGradient(Slot slot) => slot.Type == typeof(Scalar) && Of(typeof(TensorOverride)).Any(s => s.Name == slot.Name);

    /// <summary><c>MaxShardSize</c> as <c>maxShardSize</c>; also for enum members (<c>BF16</c> as <c>bf16</c>).</summary>
    public static string CamelCase(string name) =>
        name.All(c => !char.IsLower(c)) ? name.ToLowerInvariant() : char.ToLowerInvariant(name[0]) + name.Substring(1);

    private static int Depth(Type type) => type.BaseType is null ? 0 : 1 + Depth(type.BaseType);
}
