using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smelt.Generators.Folding;

/// <summary>What generator and analyzer ask of a class that is marked as a recipe.</summary>
internal static class RecipeDeclaration
{
    /// <summary>The attribute that marks a recipe.</summary>
    public const string AttributeName = "Smelt.Recipes.RecipeAttribute";

    /// <summary>The attribute that marks an experiment.</summary>
    public const string ExperimentAttributeName = "Smelt.Recipes.ExperimentAttribute";

    /// <summary>The recipe attribute of a class, the first of several; null where it has none.</summary>
    public static AttributeData? AttributeOf(INamedTypeSymbol type) => AttributeOf(type, AttributeName);

    /// <summary>An attribute of a class by its full name, the first of several; null where it has none.</summary>
    public static AttributeData? AttributeOf(INamedTypeSymbol type, string fullName) => type.GetAttributes().FirstOrDefault(a =>
        a.AttributeClass is { } attribute && fullName.EndsWith(attribute.Name, StringComparison.Ordinal) && attribute.ToDisplayString() == fullName);

    /// <summary>The name given to the attribute, empty for null; null where the source gives no name yet.</summary>
    public static string? NameOf(AttributeData attribute) =>
        attribute.ConstructorArguments is [{ Kind: TypedConstantKind.Primitive, Type.SpecialType: SpecialType.System_String } name]
            ? name.Value as string ?? ""
            : null;

    /// <summary>Where the name given to the attribute stands; null where the source gives none.</summary>
    public static Location? NamePlaceOf(AttributeData attribute, CancellationToken cancellation) =>
        attribute.ApplicationSyntaxReference?.GetSyntax(cancellation) is AttributeSyntax { ArgumentList.Arguments: { } arguments }
            ? arguments.FirstOrDefault(a => a.NameEquals is null)?.Expression.GetLocation()
            : null;

    /// <summary>Whether the recipe must say all that its output depends on.</summary>
    public static bool IsReproducible(AttributeData attribute) =>
        attribute.NamedArguments.Any(a => a.Key == nameof(Smelt.Recipes.RecipeAttribute.Reproducible) && a.Value.Value is true);

    /// <summary>Whether another file can add members to a class: it and the classes around it are partial.</summary>
    public static bool IsExtensible(INamedTypeSymbol type)
    {
        for (var t = type; t is not null; t = t.ContainingType)
        {
            if (t.IsFileLocal || !IsPartial(t))
                return false;
        }

        return type.Name.Length > 0;
    }

    /// <summary>The Define method: static, without parameters, not private, returning a recipe; null where there is none.</summary>
    public static IMethodSymbol? DefineOf(INamedTypeSymbol type) => DefineOf(type, "Smelt.Recipes.Recipe");

    /// <summary>The Define method: static, without parameters, not private, returning a type or one derived of it; null where there is none.</summary>
    public static IMethodSymbol? DefineOf(INamedTypeSymbol type, string returned) =>
        type.GetMembers("Define").OfType<IMethodSymbol>().FirstOrDefault(m =>
            m is { IsStatic: true, Parameters.Length: 0, IsGenericMethod: false, DeclaredAccessibility: Accessibility.Public or Accessibility.Internal }
            && Is(m.ReturnType, returned));

    /// <summary>Whether a class is static, or one that can stand in <c>From&lt;T&gt;()</c>.</summary>
    public static bool HasRightKind(INamedTypeSymbol type) =>
        type.IsStatic || type.AllInterfaces.Any(i => i.ToDisplayString() == "Smelt.Recipes.IRecipe");

    private static bool Is(ITypeSymbol type, string wanted)
    {
        for (var t = type; t is not null; t = t.BaseType)
        {
            if (t.ToDisplayString() == wanted)
                return true;
        }

        return false;
    }

    private static bool IsPartial(INamedTypeSymbol type) =>
        type.DeclaringSyntaxReferences.All(r => r.GetSyntax() is TypeDeclarationSyntax declaration && declaration.Modifiers.Any(SyntaxKind.PartialKeyword));
}
