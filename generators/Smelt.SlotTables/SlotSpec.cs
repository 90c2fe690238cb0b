using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Smelt.SlotTables;

/// <summary>All that the emitted entry of a slot depends on.</summary>
/// <remarks>The pipeline compares these between two runs, so they hold no symbols.</remarks>
/// <param name="Owner">The name of the record that declares the slot.</param>
/// <param name="OwnerType">Its type, for use in code.</param>
/// <param name="Property">The name of the property.</param>
/// <param name="PropertyType">The type of the property, nullability taken off, for use in code.</param>
/// <param name="ValueType">The type of the property as it is, for use in code.</param>
/// <param name="Attribute">The expression that makes the slot's attribute anew.</param>
internal sealed record SlotSpec(string Owner, string OwnerType, string Property, string PropertyType, string ValueType, string Attribute)
{
    /// <summary>The spec of a property marked with [Slot].</summary>
    public static SlotSpec Of(GeneratorAttributeSyntaxContext context) => Of((IPropertySymbol)context.TargetSymbol, context.Attributes[0]);

    /// <summary>The spec of a property with its attribute.</summary>
    public static SlotSpec Of(IPropertySymbol property, AttributeData attribute)
    {
        var type = property.Type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable ? nullable.TypeArguments[0] : property.Type;
        return new SlotSpec(
            property.ContainingType.Name,
            property.ContainingType.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
            property.Name,
            type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
            property.Type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat.AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier)),
            Expression(attribute));
    }

    /// <summary>The entry of a slot in a table, as an expression.</summary>
    public string Entry(string indent) =>
        $"new global::Smelt.Recipes.Slot(\"{Property}\", typeof({PropertyType}), {Attribute},\n"
        + $"{indent}    static owner => (({OwnerType})owner).{Property},\n"
        + $"{indent}    static (owner, value) => ({OwnerType})owner with {{ {Property} = ({ValueType})value! }})";

    private static string Expression(AttributeData attribute)
    {
        var arguments = string.Join(", ", attribute.ConstructorArguments.Select(a => a.ToCSharpString()));
        var settings = string.Join(", ", attribute.NamedArguments.Select(a => $"{a.Key} = {a.Value.ToCSharpString()}"));
        return $"new global::Smelt.Recipes.SlotAttribute({arguments}){(settings.Length > 0 ? $" {{ {settings} }}" : "")}";
    }
}

/// <summary>A record marked with [Method].</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, for use in code.</param>
/// <param name="Id">The method's id.</param>
internal sealed record MethodSpec(string Name, string Type, string Id)
{
    /// <summary>The spec of a record.</summary>
    public static MethodSpec Of(GeneratorAttributeSyntaxContext context) => new(
        context.TargetSymbol.Name,
        context.TargetSymbol.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
        (string)context.Attributes[0].ConstructorArguments[0].Value!);
}
