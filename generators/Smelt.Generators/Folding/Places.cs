using Microsoft.CodeAnalysis;

namespace Smelt.Generators.Folding;

/// <summary>The expressions of a recipe's parts, by JSON pointer.</summary>
internal sealed class Places
{
    private readonly Dictionary<string, SyntaxNode> _expressions = new(StringComparer.Ordinal);

    /// <summary>Whether the part has an expression of its own.</summary>
    public bool Contains(string pointer) => _expressions.ContainsKey(pointer);

    /// <summary>Sets the expression of a part. Where it replaces another, what was inside that one is no part any more.</summary>
    public void Set(string pointer, SyntaxNode expression)
    {
        if (_expressions.ContainsKey(pointer))
        {
            foreach (var inner in _expressions.Keys.Where(k => k.StartsWith(pointer + "/", StringComparison.Ordinal)).ToArray())
                _expressions.Remove(inner);
        }

        _expressions[pointer] = expression;
    }

    /// <summary>The place of a part, or of the nearest part around it that has one.</summary>
    public Location LocationOf(string pointer)
    {
        while (!_expressions.ContainsKey(pointer))
            pointer = pointer.Substring(0, pointer.LastIndexOf('/'));
        return _expressions[pointer].GetLocation();
    }

    /// <summary>The pointer of a part inside another.</summary>
    public static string Append(string pointer, object part) => pointer + "/" + part;
}
