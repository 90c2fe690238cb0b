namespace Smelt.Recipes;

/// <summary>One slot of a recipe, an expert or a tensor rule: a property with its name in configurations and its range.</summary>
public sealed class Slot
{
    private readonly Func<object, object?> _get;
    private readonly Func<object, object?, object> _with;

    internal Slot(string property, Type type, SlotAttribute attribute, Func<object, object?> get, Func<object, object?, object> with)
    {
        Property = property;
        Name = Slots.CamelCase(property);
        Type = type;
        Attribute = attribute;
        _get = get;
        _with = with;
    }

    /// <summary>The name of the property.</summary>
    public string Property { get; }

    /// <summary>Its name in configurations, camelCase.</summary>
    public string Name { get; }

    /// <summary>The type of the slot's value, nullability taken off.</summary>
    public Type Type { get; }

    /// <summary>What it means and its range.</summary>
    public SlotAttribute Attribute { get; }

    /// <summary>The value in <paramref name="owner"/>; null where it is not given.</summary>
    public object? Get(object owner) => _get(owner);

    /// <summary>A copy of <paramref name="owner"/> with another value; null for one that is not given, where the slot may be left out.</summary>
    public object With(object owner, object? value) => _with(owner, value);
}

/// <summary>
/// The slots of types and the methods there are: what the rules, the reader, the writer and the schema go by. The tables
/// behind it are generated from the attributes of the recipe types.
/// </summary>
public static partial class Slots
{
    private static readonly Dictionary<Type, IReadOnlyList<Slot>> Cache = [];
    private static readonly Lazy<IReadOnlyDictionary<string, Type>> LazyMethods = new(AllMethods);

    /// <summary>The recipe types by method id, in ordinal order of the ids.</summary>
    public static IReadOnlyDictionary<string, Type> Methods => LazyMethods.Value;

    /// <summary>The slots of a type, those of its base types first.</summary>
    public static IReadOnlyList<Slot> Of(Type type)
    {
        lock (Cache)
        {
            if (!Cache.TryGetValue(type, out var slots))
            {
                slots = Declared(type);
                if (type.BaseType is { } parent && parent != typeof(object))
                    slots = [.. Of(parent), .. slots];
                Cache.Add(type, slots);
            }

            return slots;
        }
    }

    /// <summary>The slot of a name in configurations; null where there is none.</summary>
    public static Slot? Find(IReadOnlyList<Slot> slots, string name)
    {
        foreach (var slot in slots)
        {
            if (slot.Name == name)
                return slot;
        }

        return null;
    }

    /// <summary>Whether a number may differ between tensors, so that a gradient has a meaning: those that tensor rules can set.</summary>
    public static bool TakesGradient(Slot slot) => slot.Type == typeof(Scalar) && Of(typeof(TensorOverride)).Any(s => s.Name == slot.Name);

    /// <summary>A recipe of a method with nothing set; null where the id names none.</summary>
    public static partial Recipe? Create(string method);

    /// <summary>The method id of a recipe type.</summary>
    public static partial string MethodId(Type recipe);

    /// <summary><c>MaxShardSize</c> as <c>maxShardSize</c>; also for enum members (<c>BF16</c> as <c>bf16</c>).</summary>
    public static string CamelCase(string name)
    {
        foreach (var c in name)
        {
            if (char.IsLower(c))
                return char.ToLowerInvariant(name[0]) + name.Substring(1);
        }

        return name.ToLowerInvariant();
    }

    private static partial Slot[] Declared(Type owner);

    private static partial Dictionary<string, Type> AllMethods();
}
