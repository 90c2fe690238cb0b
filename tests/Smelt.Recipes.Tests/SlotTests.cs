using System.Reflection;

namespace Smelt.Recipes.Tests;

/// <summary>The generated tables of slots and methods say what the attributes of the recipe types say.</summary>
public class SlotTests
{
    private static readonly Type[] Types = [.. typeof(Recipe).Assembly.GetTypes().Where(t => t.IsPublic)];

    public static TheoryData<Type> Owners => new(Types.Where(t => !t.IsAbstract && Marked(t).Any()));

    [Theory]
    [MemberData(nameof(Owners))]
    public void The_slots_of_a_type_are_its_marked_properties_those_of_base_types_first(Type owner)
    {
        var expected = Marked(owner).OrderBy(p => Depth(p.DeclaringType!)).ThenBy(p => p.MetadataToken).ToArray();
        var slots = Slots.Of(owner);
        Assert.Equal(expected.Select(p => p.Name), slots.Select(s => s.Property));
        Assert.Equal(expected.Select(p => Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType), slots.Select(s => s.Type));
        Assert.Equal(expected.Select(p => p.GetCustomAttribute<SlotAttribute>()), slots.Select(s => s.Attribute));
    }

    [Theory]
    [MemberData(nameof(Owners))]
    public void A_slot_reads_its_property_and_sets_it_in_a_copy(Type owner)
    {
        foreach (var slot in Slots.Of(owner))
        {
            var before = Make(owner);
            var property = owner.GetProperty(slot.Property)!;
            var value = Sample(slot.Type);
            var after = slot.With(before, value);
            Assert.Equal(value, property.GetValue(after));
            Assert.Equal(value, slot.Get(after));
            Assert.Equal(property.GetValue(before), slot.Get(before));
            Assert.NotEqual(value, slot.Get(before));
            Assert.IsType(owner, after);
        }
    }

    [Fact]
    public void Every_recipe_type_is_a_method_under_its_id()
    {
        var recipes = Types.Where(t => !t.IsAbstract && typeof(Recipe).IsAssignableFrom(t)).ToArray();
        Assert.Equal(recipes.ToHashSet(), Slots.Methods.Values.ToHashSet());
        Assert.Equal(Slots.Methods.Keys.Order(StringComparer.Ordinal), Slots.Methods.Keys);
        foreach (var (id, type) in Slots.Methods)
        {
            Assert.Equal(type.GetCustomAttribute<MethodAttribute>()!.Id, id);
            Assert.Equal(id, Slots.MethodId(type));
            Assert.IsType(type, Slots.Create(id));
        }

        Assert.Null(Slots.Create("no-method"));
    }

    private static IEnumerable<PropertyInfo> Marked(Type type) => type.GetProperties().Where(p => p.IsDefined(typeof(SlotAttribute)));

    private static int Depth(Type type) => type.BaseType is null ? 0 : 1 + Depth(type.BaseType);

    private static object Make(Type owner) =>
        owner == typeof(Expert) ? new Expert(Folder("a"))
        : owner == typeof(TensorOverride) ? On("**")
        : owner == typeof(ExpertPool) ? new ExpertPool("pool")
        : Activator.CreateInstance(owner)!;

    /// <summary>A value that is no slot's default.</summary>
    private static object Sample(Type type) =>
        type == typeof(Scalar) ? (Scalar)0.25
        : type == typeof(bool) ? true
        : type == typeof(string) ? "text"
        : type == typeof(ByteSize) ? (ByteSize)12345
        : type == typeof(ChatTemplate) ? ChatTemplate.ChatML
        : type == typeof(Model) ? Folder("sample")
        : type == typeof(LayerRange) ? new LayerRange(1, 2)
        : type == typeof(ExpertSubsets) ? new AllExperts()
        : type == typeof(Sequence<Expert>) ? Sequence.From([new Expert(Folder("b"))])
        : type == typeof(Sequence<TensorRule>) ? Sequence.From<TensorRule>([On("*")])
        : type == typeof(Sequence<Recipe>) ? Sequence.From<Recipe>([new Average()])
        : type == typeof(Sequence<Part>) ? Sequence.From([new Part("*", new Average())])
        : type == typeof(Sequence<ExpertPool>) ? Sequence.From([new ExpertPool("other")])
        : type == typeof(Sequence<Arm>) ? Sequence.From([new Arm("arm", new Average())])
        : Enum.GetValues(type).GetValue(0)!;
}
