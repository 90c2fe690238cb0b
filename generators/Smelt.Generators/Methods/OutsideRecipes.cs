using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Smelt.Recipes;

namespace Smelt.Generators.Methods;

/// <summary>
/// Stands in for recipes of methods outside of Smelt while they are compiled: their slots and defaults are read off the
/// attributes, what the record says of its method off properties that return a constant.
/// </summary>
internal static class OutsideRecipes
{
    private static readonly string[] Facts =
    [
        nameof(Recipe.NeedsBase), nameof(Recipe.UsesBase), nameof(Recipe.UsesWeights), nameof(Recipe.DividesByWeights),
        nameof(Recipe.UsesStatistics), nameof(Recipe.FewestExperts), nameof(Recipe.MostExperts),
    ];

    /// <summary>A recipe with nothing set; null for a type that is no method, or where only its code tells what a recipe of it says, with the reason.</summary>
    public static OutsideRecipe? Create(INamedTypeSymbol type, out string why)
    {
        why = "";
        if (MethodDeclaration.IdOf(type) is not { } id)
            return null;
        var bases = MethodDeclaration.BasesOf(type).ToArray();
        var known = bases.FirstOrDefault(t => t.ContainingAssembly?.Name == "Smelt.Recipes");
        if (known is null || known.Name is not (nameof(Recipe) or nameof(TaskVectorRecipe) or nameof(WeightedTaskVectorRecipe)))
            return Reason(ref why, $"{type.Name} derives from {known?.Name ?? "no recipe"}, whose switches its own code resolves");
        var own = bases.TakeWhile(t => !ReferenceEquals(t, known)).Prepend(type).ToArray();
        if (own.Any(t => t.GetMembers(nameof(Recipe.Resolve)).Any()))
            return Reason(ref why, $"{type.Name} overrides Resolve");
        var facts = new Dictionary<string, object>();
        foreach (var name in Facts)
        {
            if (own.SelectMany(t => t.GetMembers(name)).FirstOrDefault() is not IPropertySymbol property)
                continue;
            if (Constant(property) is not { } value)
                return Reason(ref why, $"{type.Name}.{name} is no constant that the compiler sees");
            facts[name] = value;
        }

        var slots = new List<Slot>();
        foreach (var (property, attribute) in MethodDeclaration.AllSlotsOf(type))
            slots.Add(OutsideRecipe.NewSlot(property.Name, TypeOf(property.Type), Of(attribute, property.Type)));
        return new OutsideRecipe(id, slots, known.Name != nameof(Recipe), facts);
    }

    /// <summary>The type of a slot's values here: an enum's members are the texts that a configuration has for them.</summary>
    private static Type TypeOf(ITypeSymbol type)
    {
        var inner = type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T, TypeArguments: [var value] } ? value : type;
        return inner.SpecialType switch
        {
            SpecialType.System_Boolean => typeof(bool),
            SpecialType.System_String => typeof(string),
            _ => inner.TypeKind == TypeKind.Enum ? typeof(string) : typeof(Scalar),
        };
    }

    /// <summary>A member of an enum outside of Smelt as a configuration has it; the value itself for all else.</summary>
    public static object? Text(object? value, ITypeSymbol type)
    {
        var inner = type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T, TypeArguments: [var own] } ? own : type;
        if (value is null || inner.TypeKind != TypeKind.Enum)
            return value;
        if (value is Enum)
            return Slots.CamelCase(value.ToString());
        return inner.GetMembers().OfType<IFieldSymbol>().FirstOrDefault(f => f.HasConstantValue && f.ConstantValue.Equals(value)) is { } member ? Slots.CamelCase(member.Name) : null;
    }

    private static OutsideRecipe? Reason(ref string why, string reason)
    {
        why = reason;
        return null;
    }

    private static object? Constant(IPropertySymbol property) =>
        property.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() is PropertyDeclarationSyntax { ExpressionBody.Expression: LiteralExpressionSyntax { Token.Value: bool or int } literal }
            ? literal.Token.Value
            : null;

    private static SlotAttribute Of(AttributeData data, ITypeSymbol type)
    {
        object? Named(string name) => data.NamedArguments.FirstOrDefault(a => a.Key == name).Value.Value;
        return new SlotAttribute(data.ConstructorArguments is [{ Value: string summary }] ? summary : "")
        {
            Min = Named(nameof(SlotAttribute.Min)) is double min ? min : double.NegativeInfinity,
            Max = Named(nameof(SlotAttribute.Max)) is double max ? max : double.PositiveInfinity,
            Integer = Named(nameof(SlotAttribute.Integer)) is true,
            Required = Named(nameof(SlotAttribute.Required)) is true,
            Default = Text(Named(nameof(SlotAttribute.Default)), type),
        };
    }
}
