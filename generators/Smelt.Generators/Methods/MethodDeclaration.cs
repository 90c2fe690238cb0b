using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Smelt.Generators.Folding;
using Smelt.Recipes;

namespace Smelt.Generators.Methods;

/// <summary>What generator, analyzer and folder ask of a record that is marked as a merge method.</summary>
internal static class MethodDeclaration
{
    /// <summary>The attribute that marks a method.</summary>
    public const string AttributeName = "Smelt.Recipes.MethodAttribute";

    private const string SlotName = "Smelt.Recipes.SlotAttribute";
    private const string RecipesAssembly = "Smelt.Recipes";
    private static readonly Regex IdPattern = new(@"\A[a-z][a-z0-9]*([._-][a-z0-9]+)*\z", RegexOptions.CultureInvariant);

    /// <summary>The method id of a record outside of Smelt; null for any other type.</summary>
    public static string? IdOf(ITypeSymbol? type) =>
        type is INamedTypeSymbol { IsRecord: true } named && named.ContainingAssembly?.Name != RecipesAssembly
        && RecipeDeclaration.AttributeOf(named, AttributeName) is { ConstructorArguments: [{ Value: string id }, ..] }
            ? id
            : null;

    /// <summary>The properties marked as slots by a record and its bases outside of Smelt, those of bases first.</summary>
    public static IReadOnlyList<(IPropertySymbol Property, AttributeData Attribute)> SlotsOf(INamedTypeSymbol type) =>
        SlotsOf(type, t => t.ContainingAssembly?.Name != RecipesAssembly);

    /// <summary>The slots that a record has besides those of all recipes.</summary>
    public static IReadOnlyList<(IPropertySymbol Property, AttributeData Attribute)> AllSlotsOf(INamedTypeSymbol type) =>
        SlotsOf(type, t => !IsRecipe(t));

    /// <summary>Whether a type is one of Smelt's, by its name.</summary>
    public static bool Is(ITypeSymbol type, string name) => type.ContainingAssembly?.Name == RecipesAssembly && type.Name == name;

    /// <summary>The types that a type derives from, the nearest first.</summary>
    public static IEnumerable<INamedTypeSymbol> BasesOf(INamedTypeSymbol type)
    {
        for (var t = type.BaseType; t is not null; t = t.BaseType)
            yield return t;
    }

    /// <summary>What keeps a record from being a method; null where nothing does.</summary>
    public static string? ProblemOf(INamedTypeSymbol type, string id)
    {
        if (!IdPattern.IsMatch(id))
            return $"the method id '{id}' is not usable; allowed: words of small letters and digits, joined by '.', '_' or '-', as in acme.clip.";
        if (Slots.Methods.ContainsKey(id))
            return $"the method id '{id}' is one of Smelt's own.";
        if (!BasesOf(type).Any(IsRecipe))
            return $"{type.Name} does not derive from Recipe.";
        for (var t = type; t is not null; t = t.ContainingType)
        {
            if (t.IsFileLocal || t.IsGenericType || t.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Internal))
                return $"{type.Name} must be public or internal, not generic and not local to its file, and so must the types around it.";
        }

        if (type.IsAbstract || !type.InstanceConstructors.Any(c => c.Parameters.Length == 0 && c.DeclaredAccessibility is Accessibility.Public or Accessibility.Internal))
            return $"{type.Name} needs a constructor without parameters.";
        if (!type.AllInterfaces.Any(i => Is(i, "IElementMethod")))
            return $"{type.Name} has no arithmetic: it does not implement IElementMethod.";
        var wrong = SlotsOf(type).FirstOrDefault(s => !IsUsable(s.Property)).Property;
        return wrong is null ? null : $"the slot {wrong.Name} must be public, with get and init, and of type Scalar?, bool?, string? or an enum that may be null.";
    }

    private static bool IsRecipe(ITypeSymbol type) => Is(type, nameof(Recipe));

    private static List<(IPropertySymbol, AttributeData)> SlotsOf(INamedTypeSymbol type, Func<INamedTypeSymbol, bool> takes)
    {
        var slots = new List<(IPropertySymbol, AttributeData)>();
        foreach (var owner in BasesOf(type).Where(takes).Reverse().Append(type))
        {
            foreach (var property in owner.GetMembers().OfType<IPropertySymbol>())
            {
                if (property.GetAttributes().FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == SlotName) is { } attribute)
                    slots.Add((property, attribute));
            }
        }

        return slots;
    }

    private static bool IsUsable(IPropertySymbol property) =>
        property is { IsStatic: false, DeclaredAccessibility: Accessibility.Public, GetMethod: not null, SetMethod: { IsInitOnly: true, DeclaredAccessibility: Accessibility.Public } }
        && property.Type switch
        {
            INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T, TypeArguments: [var inner] } => inner.SpecialType == SpecialType.System_Boolean || inner.TypeKind == TypeKind.Enum,
            { NullableAnnotation: NullableAnnotation.NotAnnotated } => false,
            var type => type.SpecialType == SpecialType.System_String || Is(type, nameof(Scalar)),
        };
}
