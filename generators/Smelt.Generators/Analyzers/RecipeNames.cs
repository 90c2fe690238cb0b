using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Smelt.Generators.Folding;
using Smelt.Recipes.Configuration;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Analyzers;

/// <summary>The names of all recipes of a compilation: two of one name would be one folder.</summary>
internal sealed class RecipeNames(Compilation compilation)
{
    private static readonly ConditionalWeakTable<SyntaxTree, ClassDeclarationSyntax[]> Candidates = new();

    private readonly Lazy<(string Name, Location Place)[]> _all = new(() => Find(compilation, default));

    /// <summary>The problem of a recipe whose name another one, earlier in the sources, has already; null where there is none.</summary>
    public Problem? Check(string name, Location place)
    {
        var same = _all.Value.Where(n => string.Equals(n.Name, name, StringComparison.OrdinalIgnoreCase)).ToArray();
        var position = Array.FindIndex(same, n => n.Place == place);
        if (position <= 0)
            return null;
        var free = Enumerable.Range(2, int.MaxValue - 2).Select(i => $"{name}-{i}")
            .Where(n => !_all.Value.Any(o => string.Equals(o.Name, n, StringComparison.OrdinalIgnoreCase)))
            .ElementAt(position - 1);
        return RuleTable.DuplicateRecipe.At("/name", $"the recipe name '{name}' is used by another recipe; names become folders, so case does not tell them apart.") with { Replacement = CanonicalJson.Write(free) };
    }

    /// <summary>The recipes in the order of files and lines.</summary>
    private static (string Name, Location Place)[] Find(Compilation compilation, CancellationToken cancellation)
    {
        var names = new List<(string Name, Location Place)>();
        foreach (var tree in compilation.SyntaxTrees)
        {
            var classes = Candidates.GetValue(tree, CandidatesOf);
            if (classes.Length == 0)
                continue;
#pragma warning disable RS1030 // Names are compared over all files; a context's own model covers one tree alone.
            var model = compilation.GetSemanticModel(tree);
#pragma warning restore RS1030
            foreach (var declaration in classes)
            {
                if (model.GetDeclaredSymbol(declaration, cancellation) is { } type && RecipeDeclaration.AttributeOf(type) is { } attribute
                    && RecipeDeclaration.NameOf(attribute) is { } name && RecipeDeclaration.NamePlaceOf(attribute, cancellation) is { } place)
                    names.Add((name, place));
            }
        }

        return [.. names.Distinct().OrderBy(n => n.Place.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(n => n.Place.SourceSpan.Start)];
    }

    /// <summary>The classes of a file that have an attribute of the right name, whatever it means.</summary>
    private static ClassDeclarationSyntax[] CandidatesOf(SyntaxTree tree) =>
        [.. tree.GetRoot().DescendantNodes(n => n is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax or TypeDeclarationSyntax).OfType<ClassDeclarationSyntax>()
            .Where(c => c.AttributeLists.Any(l => l.Attributes.Any(a => NameOf(a.Name) is "Recipe" or "RecipeAttribute")))];

    private static string NameOf(NameSyntax name) => name switch
    {
        QualifiedNameSyntax qualified => qualified.Right.Identifier.ValueText,
        AliasQualifiedNameSyntax alias => alias.Name.Identifier.ValueText,
        SimpleNameSyntax simple => simple.Identifier.ValueText,
        _ => "",
    };
}
