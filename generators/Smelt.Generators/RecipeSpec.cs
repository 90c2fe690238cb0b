using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Smelt.Generators.Folding;
using Smelt.Recipes.Configuration;
using Smelt.Recipes.Rules;

namespace Smelt.Generators;

/// <summary>All that the emitted sources of a recipe depend on.</summary>
/// <remarks>
/// The pipeline compares these between two runs, so they hold strings and flags alone: a symbol, a syntax node or a
/// location in here would keep old compilations alive and re-emit every file on every key stroke.
/// </remarks>
/// <param name="Name">The recipe's name.</param>
/// <param name="Namespace">The namespace of its class; empty for the global one.</param>
/// <param name="Headers">The declarations of the classes around it and its own, outermost first, joined by line breaks.</param>
/// <param name="FullName">The full name of its class, for use in code.</param>
/// <param name="MetadataName">The full name of its class, as reflection has it.</param>
/// <param name="Configuration">The canonical JSON; null for a recipe that is not constant.</param>
/// <param name="Members">The accessors that the class does not declare itself, joined by commas.</param>
/// <param name="IsReachable">Whether the registry can refer to the class.</param>
internal sealed record RecipeSpec(
    string Name, string Namespace, string Headers, string FullName, string MetadataName, string? Configuration, string Members, bool IsReachable)
{
    private static readonly string[] Accessors = ["Name", "Configuration", "ConfigurationHash"];

    /// <summary>
    /// The spec of a class that is marked as a recipe; null where rules are broken, which the analyzer reports: the
    /// generator stays silent.
    /// </summary>
    public static RecipeSpec? Of(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        var type = (INamedTypeSymbol)context.TargetSymbol;
        if (RecipeDeclaration.NameOf(context.Attributes[0]) is not { } name
            || !RecipeDeclaration.IsStaticPartial(type)
            || RecipeDeclaration.DefineOf(type) is not { } define)
            return null;

        string? configuration = null;
        try
        {
            var recipe = RecipeFolder.Fold(define, context.SemanticModel.Compilation, out _, cancellation);
            if (RecipeValidator.Validate(name, recipe).Any(p => p.Severity == Severity.Error))
                return null;
            configuration = ConfigurationWriter.Write(name, recipe);
        }
        catch (NotConstantException)
        {
            // Evaluated when it runs.
        }

        var members = Accessors.Where(m => type.GetMembers(m).IsEmpty);
        return new RecipeSpec(
            name,
            type.ContainingNamespace.IsGlobalNamespace ? "" : type.ContainingNamespace.ToDisplayString(),
            string.Join("\n", DeclarationsOf(type)),
            type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
            MetadataNameOf(type),
            configuration,
            string.Join(",", members),
            IsVisible(type));
    }

    private static IEnumerable<string> DeclarationsOf(INamedTypeSymbol type)
    {
        if (type.ContainingType is { } outer)
        {
            foreach (var header in DeclarationsOf(outer))
                yield return header;
        }

        var kind = type.IsRecord ? (type.IsValueType ? "record struct" : "record") : type.TypeKind switch
        {
            TypeKind.Struct => "struct",
            TypeKind.Interface => "interface",
            _ => "class",
        };
        yield return $"partial {kind} {type.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat.WithKindOptions(SymbolDisplayKindOptions.None))}";
    }

    private static string MetadataNameOf(INamedTypeSymbol type) =>
        type.ContainingType is { } outer ? MetadataNameOf(outer) + "+" + type.MetadataName
        : type.ContainingNamespace.IsGlobalNamespace ? type.MetadataName
        : type.ContainingNamespace.ToDisplayString() + "." + type.MetadataName;

    private static bool IsVisible(INamedTypeSymbol type)
    {
        for (var t = type; t is not null; t = t.ContainingType)
        {
            if (t.IsFileLocal || t.IsGenericType || t.DeclaredAccessibility is Accessibility.Private or Accessibility.Protected or Accessibility.ProtectedAndInternal)
                return false;
        }

        return true;
    }
}
