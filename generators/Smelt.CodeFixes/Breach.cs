using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Smelt.Generators;

namespace Smelt.CodeFixes;

/// <summary>A diagnostic with what it stands on.</summary>
/// <param name="Diagnostic">The diagnostic.</param>
/// <param name="Node">The node at its place.</param>
/// <param name="Model">The meaning of the document.</param>
internal sealed record Breach(Diagnostic Diagnostic, SyntaxNode Node, SemanticModel Model)
{
    /// <summary>The node as an expression; null for any other.</summary>
    public ExpressionSyntax? Expression => Node as ExpressionSyntax;

    /// <summary>Whether the place is the part's own expression.</summary>
    public bool IsExact => Diagnostic.Properties.ContainsKey(DiagnosticProperties.Exact);

    /// <summary>The JSON pointer of the part; empty for what is no part of a recipe.</summary>
    public string Pointer => Property(DiagnosticProperties.Pointer) ?? "";

    /// <summary>The last name of the pointer.</summary>
    public string Part => Pointer.Substring(Pointer.LastIndexOf('/') + 1);

    /// <summary>What could stand there instead.</summary>
    public string? Replacement => Property(DiagnosticProperties.Replacement);

    private string? Property(string name) => Diagnostic.Properties.TryGetValue(name, out var value) ? value : null;
}
