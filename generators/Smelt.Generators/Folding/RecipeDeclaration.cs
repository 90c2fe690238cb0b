using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smelt.Generators.Folding;

/// <summary>What generator and analyzer ask of a class that is marked as a recipe.</summary>
internal static class RecipeDeclaration
{
    /// <summary>The attribute that marks a recipe.</summary>
    public const string AttributeName = "Smelt.Recipes.RecipeAttribute";

    /// <summary>The recipe attribute of a class, the first of several; null where it has none.</summary>
    public static AttributeData? AttributeOf(INamedTypeSymbol type) => type.GetAttributes().FirstOrDefault(a =>
        a.AttributeClass is { Name: "RecipeAttribute" } attribute && attribute.ToDisplayString() == AttributeName);

    /// <summary>The name given to the attribute, empty for null; null where the source gives no name yet.</summary>
    public static string? NameOf(AttributeData attribute) =>
        attribute.ConstructorArguments is [{ Kind: TypedConstantKind.Primitive, Type.SpecialType: SpecialType.System_String } name]
            ? name.Value as string ?? ""
            : null;

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
    public static IMethodSymbol? DefineOf(INamedTypeSymbol type) =>
        type.GetMembers("Define").OfType<IMethodSymbol>().FirstOrDefault(m =>
            m is { IsStatic: true, Parameters.Length: 0, IsGenericMethod: false, DeclaredAccessibility: Accessibility.Public or Accessibility.Internal }
            && IsRecipe(m.ReturnType));

    /// <summary>Whether a class is static, or one that can stand in <c>From&lt;T&gt;()</c>.</summary>
    public static bool HasRightKind(INamedTypeSymbol type) =>
        type.IsStatic || type.AllInterfaces.Any(i => i.ToDisplayString() == "Smelt.Recipes.IRecipe");

    private static bool IsRecipe(ITypeSymbol type)
    {
        for (var t = type; t is not null; t = t.BaseType)
        {
            if (t.ToDisplayString() == "Smelt.Recipes.Recipe")
                return true;
        }

        return false;
    }

    private static bool IsPartial(INamedTypeSymbol type) =>
        type.DeclaringSyntaxReferences.All(r => r.GetSyntax() is TypeDeclarationSyntax declaration && declaration.Modifiers.Any(SyntaxKind.PartialKeyword));
}
