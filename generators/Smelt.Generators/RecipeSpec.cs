using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Smelt.Generators.Folding;
using Smelt.Recipes.Configuration;
using Smelt.Recipes.Rules;

namespace Smelt.Generators;

/// <summary>What becomes of a recipe when it is compiled.</summary>
internal enum RecipeKind
{
    /// <summary>Its configuration is part of the assembly.</summary>
    Folded,

    /// <summary>It is evaluated when it runs.</summary>
    Dynamic,

    /// <summary>
    /// It breaks a rule or does not compile yet. Its accessors are there all the same, so that code which uses them shows no
    /// errors of its own.
    /// </summary>
    Invalid,
}

/// <summary>All that the emitted sources of a recipe depend on.</summary>
/// <remarks>
/// The pipeline compares these between two runs, so they hold strings and flags alone: a symbol, a syntax node or a
/// location in here would keep old compilations alive and re-emit every file on every key stroke.
/// </remarks>
/// <param name="Name">The recipe's name.</param>
/// <param name="Kind">What became of it.</param>
/// <param name="Namespace">The namespace of its class; empty for the global one.</param>
/// <param name="Headers">The declarations of the classes around it and its own, outermost first, joined by line breaks.</param>
/// <param name="FullName">The full name of its class, for use in code.</param>
/// <param name="MetadataName">The full name of its class, as reflection has it.</param>
/// <param name="Configuration">The canonical JSON of a folded recipe.</param>
/// <param name="Members">The accessors that the class does not declare itself, joined by commas.</param>
/// <param name="IsReachable">Whether the registry can refer to the class.</param>
internal sealed record RecipeSpec(
    string Name, RecipeKind Kind, string Namespace, string Headers, string FullName, string MetadataName, string? Configuration, string Members, bool IsReachable)
{
    private static readonly SymbolDisplayFormat Unescaped =
        SymbolDisplayFormat.FullyQualifiedFormat.WithGlobalNamespaceStyle(SymbolDisplayGlobalNamespaceStyle.Omitted).WithMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.None);

    private static readonly string[] Accessors = ["Name", "Configuration", "ConfigurationHash"];

    /// <summary>The spec of a class that is marked as a recipe; null where its accessors have no place.</summary>
    public static RecipeSpec? Of(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        var compilation = context.SemanticModel.Compilation;
        return Of((INamedTypeSymbol)context.TargetSymbol, context.TargetNode, compilation, () => FoldAhead.Count(compilation, (type, node) => Of(type, node, compilation, static () => { }, cancellation), cancellation), cancellation);
    }

    private static RecipeSpec? Of(INamedTypeSymbol type, SyntaxNode node, Compilation compilation, Action ahead, CancellationToken cancellation)
    {
        if (RecipeDeclaration.AttributeOf(type) is not { } attribute
            || attribute.ApplicationSyntaxReference is not { } reference
            || reference.SyntaxTree != node.SyntaxTree
            || !node.Span.Contains(reference.Span)
            || RecipeDeclaration.NameOf(attribute) is not { } name
            || !RecipeDeclaration.IsExtensible(type))
            return null;

        return FoldMemory.Recall(node, compilation, () =>
        {
            var (kind, configuration) = Fold(type, name, RecipeDeclaration.IsReproducible(attribute), compilation, out var trees, cancellation);
            return (new RecipeSpec(
                name,
                kind,
                type.ContainingNamespace.IsGlobalNamespace ? "" : type.ContainingNamespace.ToDisplayString(),
                string.Join("\n", DeclarationsOf(type)),
                type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
                MetadataNameOf(type),
                configuration,
                string.Join(",", Accessors.Where(m => m != type.Name && type.GetMembers(m).IsEmpty)),
                IsVisible(type)), trees);
        }, ahead);
    }

    private static (RecipeKind Kind, string? Configuration) Fold(
        INamedTypeSymbol type, string name, bool reproducible, Compilation compilation, out IEnumerable<SyntaxTree> trees, CancellationToken cancellation)
    {
        trees = [];
        if (!RecipeDeclaration.HasRightKind(type) || RecipeDeclaration.DefineOf(type) is not { } define || RecipeValidator.ValidateName(name).Count > 0)
            return (RecipeKind.Invalid, null);
        var folder = new RecipeFolder(compilation, cancellation);
        trees = folder.Trees;
        try
        {
            var recipe = folder.Fold<Recipes.Recipe>(define);
            return RecipeValidator.Validate(name, recipe, reproducible).Any(p => p.Severity == Severity.Error)
                ? (RecipeKind.Invalid, null)
                : (RecipeKind.Folded, ConfigurationWriter.Write(name, recipe));
        }
        catch (NotConstantException notConstant)
        {
            return (notConstant.IsBroken || notConstant.Rule.Severity == Severity.Error ? RecipeKind.Invalid : RecipeKind.Dynamic, null);
        }
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

    /// <summary>The full name of a class, as reflection has it.</summary>
    public static string MetadataNameOf(INamedTypeSymbol type) =>
        type.ContainingType is { } outer ? MetadataNameOf(outer) + "+" + type.MetadataName
        : type.ContainingNamespace.IsGlobalNamespace ? type.MetadataName
        : type.ContainingNamespace.ToDisplayString(Unescaped) + "." + type.MetadataName;

    private static bool IsVisible(INamedTypeSymbol type)
    {
        for (var t = type; t is not null; t = t.ContainingType)
        {
            if (t.IsGenericType || t.DeclaredAccessibility is Accessibility.Private or Accessibility.Protected or Accessibility.ProtectedAndInternal)
                return false;
        }

        return true;
    }
}
