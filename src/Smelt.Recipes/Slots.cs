namespace Smelt.Recipes;

/// <summary>One slot of a recipe, an expert or a tensor rule: a property with its name in configurations and its range.</summary>
public sealed class Slot
{
    private readonly Func<object, object?> _get;
    private readonly Func<object, object?, object> _with;

    /// <summary>A slot, as the generator makes it of a property marked with [Slot].</summary>
    /// <param name="property">The name of the property.</param>
    /// <param name="type">The type of its value, nullability taken off.</param>
    /// <param name="attribute">What it means and its range.</param>
    /// <param name="get">Reads the property.</param>
    /// <param name="with">Makes a copy of its owner with another value.</param>
    public Slot(string property, Type type, SlotAttribute attribute, Func<object, object?> get, Func<object, object?, object> with)
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
    private static readonly Dictionary<string, OutsideMethod> Outside = new(StringComparer.Ordinal);
    private static readonly Lazy<IReadOnlyDictionary<string, Type>> LazyMethods = new(AllMethods);

    /// <summary>The recipe types of Smelt's own methods by method id, in ordinal order of the ids.</summary>
    public static IReadOnlyDictionary<string, Type> Methods => LazyMethods.Value;

    /// <summary>The ids of all methods: Smelt's own, then those of assemblies that were loaded.</summary>
    public static IReadOnlyList<string> MethodIds
    {
        get
        {
            lock (Cache)
                return [.. Methods.Keys, .. Outside.Keys.OrderBy(id => id, StringComparer.Ordinal)];
        }
    }

    /// <summary>
    /// Makes a method of another assembly known. The generator calls it from a module initializer for each record marked with
    /// [Method].
    /// </summary>
    /// <param name="id">The method's id.</param>
    /// <param name="type">The record.</param>
    /// <param name="create">A recipe with nothing set.</param>
    /// <param name="slots">The slots that the record itself declares.</param>
    /// <exception cref="InvalidOperationException">Another method has the id.</exception>
    public static void Register(string id, Type type, Func<Recipe> create, IReadOnlyList<Slot> slots)
    {
        lock (Cache)
        {
            if (Methods.ContainsKey(id) || (Outside.TryGetValue(id, out var other) && other.Type != type))
                throw new InvalidOperationException($"the method id '{id}' of {type.FullName} is taken by {(Methods.TryGetValue(id, out var own) ? own : Outside[id].Type).FullName}.");
            Outside[id] = new OutsideMethod(id, type, create, slots);
        }
    }

    /// <summary>The slots of a type, those of its base types first.</summary>
    public static IReadOnlyList<Slot> Of(Type type)
    {
        lock (Cache)
        {
            if (!Cache.TryGetValue(type, out var slots))
            {
                slots = type.Assembly == typeof(Slots).Assembly ? Declared(type) : OutsideOf(type)?.Slots ?? [];
                if (type.BaseType is { } parent && parent != typeof(object))
                    slots = [.. Of(parent), .. slots];
                Cache.Add(type, slots);
            }

            return slots;
        }
    }

    /// <summary>The slots of a recipe, an expert or a tensor rule, those of its base types first.</summary>
    public static IReadOnlyList<Slot> Of(object owner) => owner is OutsideRecipe outside ? outside.AllSlots : Of(owner.GetType());

    /// <summary>The slot of a name in configurations; null where there is none.</summary>
    public static Slot? Find(IReadOnlyList<Slot> slots, string name)
    {
        for (var i = 0; i < slots.Count; i++)
        {
            if (slots[i].Name == name)
                return slots[i];
        }

        return null;
    }

    /// <summary>Whether a number may differ between tensors, so that a gradient has a meaning: those that tensor rules can set.</summary>
    public static bool TakesGradient(Slot slot) => slot.Type == typeof(Scalar) && Of(typeof(TensorOverride)).Any(s => s.Name == slot.Name);

    /// <summary>A recipe of a method with nothing set; null where the id names none.</summary>
    public static Recipe? Create(string method)
    {
        if (CreateOwn(method) is { } own)
            return own;
        lock (Cache)
            return Outside.TryGetValue(method, out var outside) ? outside.Create() : null;
    }

    /// <summary>The method id of a recipe.</summary>
    public static string MethodId(Recipe recipe) => recipe is OutsideRecipe outside ? outside.Method : MethodId(recipe.GetType());

    /// <summary>The method id of a recipe type.</summary>
    /// <exception cref="ArgumentException">The type is no method, or one that was not registered.</exception>
    public static string MethodId(Type recipe)
    {
        if (recipe.Assembly == typeof(Slots).Assembly)
            return OwnMethodId(recipe);
        lock (Cache)
            return OutsideOf(recipe)?.Id ?? throw new ArgumentException($"{recipe.Name} is no merge method.", nameof(recipe));
    }

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

    private static OutsideMethod? OutsideOf(Type type)
    {
        foreach (var method in Outside.Values)
        {
            if (method.Type == type)
                return method;
        }

        return null;
    }

    private static partial Slot[] Declared(Type owner);

    private static partial Recipe? CreateOwn(string method);

    private static partial string OwnMethodId(Type recipe);

    private static partial Dictionary<string, Type> AllMethods();
}

/// <summary>A method of another assembly.</summary>
/// <param name="Id">The method's id.</param>
/// <param name="Type">The record.</param>
/// <param name="Create">A recipe with nothing set.</param>
/// <param name="Slots">The slots that the record itself declares.</param>
internal sealed record OutsideMethod(string Id, Type Type, Func<Recipe> Create, IReadOnlyList<Slot> Slots);
