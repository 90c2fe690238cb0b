using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smelt.Generators.Folding;

/// <summary>
/// Folds recipes on all cores where many are new, as in a project that was just opened: the compiler asks for one after
/// another, and finds the rest in <see cref="FoldMemory"/>.
/// </summary>
internal static class FoldAhead
{
    /// <summary>An edit makes few recipes new; from this one on all of them are looked at.</summary>
    private const int MostOfAnEdit = 3;

    private static readonly ConditionalWeakTable<Compilation, StrongBox<int>> New = new();

    /// <summary>Counts a recipe that is new in a compilation, and folds the others once there are many.</summary>
    /// <param name="compilation">The compilation.</param>
    /// <param name="fold">Folds the recipe of a class.</param>
    /// <param name="cancellation">Stops it.</param>
    public static void Count(Compilation compilation, Action<INamedTypeSymbol, ClassDeclarationSyntax> fold, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref New.GetValue(compilation, static _ => new StrongBox<int>()).Value) != MostOfAnEdit + 1)
            return;
        try
        {
            Parallel.ForEach(compilation.SyntaxTrees, new ParallelOptions { CancellationToken = cancellation }, tree =>
            {
                SemanticModel? model = null;
                foreach (var declaration in tree.GetRoot(cancellation).DescendantNodes(static n => n is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax or TypeDeclarationSyntax).OfType<ClassDeclarationSyntax>())
                {
                    if (IsMarked(declaration) && (model ??= compilation.GetSemanticModel(tree)).GetDeclaredSymbol(declaration, cancellation) is INamedTypeSymbol type)
                        fold(type, declaration);
                }
            });
        }
        catch (AggregateException)
        {
            // What one recipe throws comes again when the compiler asks for it.
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Whether a class probably is a recipe, by the attribute's name as written; one under an alias is folded when it is asked for.</summary>
    private static bool IsMarked(ClassDeclarationSyntax declaration)
    {
        foreach (var list in declaration.AttributeLists)
        {
            foreach (var attribute in list.Attributes)
            {
                var name = attribute.Name is QualifiedNameSyntax qualified ? qualified.Right : attribute.Name;
                if (name is IdentifierNameSyntax { Identifier.ValueText: "Recipe" or "RecipeAttribute" })
                    return true;
            }
        }

        return false;
    }
}
