using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smelt.Generators.Folding;

/// <summary>The value of a static member, and what evaluating it took.</summary>
/// <param name="Value">The value.</param>
/// <param name="Trees">The sources that were looked at.</param>
/// <param name="Steps">How many expressions were evaluated.</param>
/// <param name="Depth">How deep they were nested.</param>
internal sealed record FollowedMember(object? Value, ImmutableArray<SyntaxTree> Trees, int Steps, int Depth);

/// <summary>
/// What folding remembers, so that an edit costs what it changes: a class's result from one compilation to the next, and a
/// member's value within one.
/// </summary>
/// <remarks>
/// A result depends on the sources that were looked into, which it names, and on what names mean in them. That is settled
/// by references, options and declarations: all that stands outside the bodies of members, constants and initialisers
/// included. So it holds as long as those are the same, and an edit inside a method far away keeps all results. Everything
/// is held weakly by the tree or the compilation it belongs to.
/// </remarks>
internal static class FoldMemory
{
    private static readonly ConditionalWeakTable<SyntaxTree, byte[]> Shapes = new();
    private static readonly ConditionalWeakTable<Compilation, byte[]> CompilationShapes = new();
    private static readonly ConditionalWeakTable<Compilation, ConcurrentDictionary<ISymbol, FollowedMember>> Members = new();
    private static readonly ConditionalWeakTable<SyntaxTree, ConcurrentDictionary<int, Result>> Results = new();

    /// <summary>The result of a class, made anew only where something changed that it depends on.</summary>
    /// <param name="node">The class, of the compilation's present sources.</param>
    /// <param name="compilation">The compilation.</param>
    /// <param name="make">Makes the result and names the sources that it looked into, beside the class's own.</param>
    /// <param name="ahead">Is called where there is no result, and may make this one and others.</param>
    public static RecipeSpec? Recall(SyntaxNode node, Compilation compilation, Func<(RecipeSpec? Spec, IEnumerable<SyntaxTree> Trees)> make, Action ahead)
    {
        var results = Results.GetValue(node.SyntaxTree, static _ => new ConcurrentDictionary<int, Result>());
        if (results.TryGetValue(node.SpanStart, out var known) && known.HoldsFor(compilation))
            return known.Spec;
        ahead();
        if (results.TryGetValue(node.SpanStart, out var made) && made != known)
            return made.Spec;
        var (spec, trees) = make();
        results[node.SpanStart] = new Result(spec, compilation, [.. trees.Where(t => t != node.SyntaxTree).Select(t => new WeakReference<SyntaxTree>(t))]);
        return spec;
    }

    /// <summary>The values of static members in a compilation.</summary>
    public static ConcurrentDictionary<ISymbol, FollowedMember> MembersOf(Compilation compilation) =>
        Members.GetValue(compilation, static _ => new ConcurrentDictionary<ISymbol, FollowedMember>(SymbolEqualityComparer.Default));

    private static byte[] ShapeOf(Compilation compilation) => CompilationShapes.GetValue(compilation, static c =>
    {
        using var sha = SHA256.Create();
        return sha.ComputeHash([.. c.SyntaxTrees.SelectMany(t => Shapes.GetValue(t, ShapeOf))]);
    });

    /// <summary>A hash of a source's declarations: its text without the bodies of members.</summary>
    private static byte[] ShapeOf(SyntaxTree tree)
    {
        var root = tree.GetRoot();
        using var sha = SHA256.Create();

        // What a directive changes depends on where it stands.
        if (root.ContainsDirectives)
            return sha.ComputeHash(Encoding.UTF8.GetBytes(root.ToFullString()));
        var text = new StringBuilder();
        foreach (var part in root.DescendantNodesAndTokens(static n => n is not (BlockSyntax or ArrowExpressionClauseSyntax)))
        {
            if (part.IsToken)
                text.Append(part.AsToken().Text).Append(' ');
            else if (part.AsNode() is BlockSyntax or ArrowExpressionClauseSyntax)
                text.Append("{} ");
        }

        return sha.ComputeHash(Encoding.UTF8.GetBytes(text.ToString()));
    }

    private sealed class Result(RecipeSpec? spec, Compilation compilation, ImmutableArray<WeakReference<SyntaxTree>> trees)
    {
        private readonly byte[] _shape = ShapeOf(compilation);
        private readonly CompilationOptions _options = compilation.Options;
        private readonly ImmutableArray<MetadataReference> _references = compilation.ExternalReferences;
        private readonly string? _assembly = compilation.AssemblyName;

        public RecipeSpec? Spec { get; } = spec;

        public bool HoldsFor(Compilation other) =>
            other.AssemblyName == _assembly
            && other.Options.Equals(_options)
            && (other.ExternalReferences == _references || other.ExternalReferences.SequenceEqual(_references))
            && ShapeOf(other).AsSpan().SequenceEqual(_shape)
            && trees.All(t => t.TryGetTarget(out var tree) && other.ContainsSyntaxTree(tree));
    }
}
