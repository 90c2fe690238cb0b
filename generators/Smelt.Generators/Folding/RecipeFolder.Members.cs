using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace Smelt.Generators.Folding;

/// <summary>Following static members to their values.</summary>
/// <remarks>
/// An initialiser tells a member's value only where nothing else can set it and where it has run by the time it is read.
/// So a member is left to run time if its class has a static constructor, if an initialiser reads a member that is
/// initialised later, in another part of the class, or by way of another class. What can't be seen and is taken for
/// granted: that nobody writes to the elements of a shared array.
/// </remarks>
internal sealed partial class RecipeFolder
{
    /// <summary>The members whose initialisers are being followed, innermost last.</summary>
    private readonly List<ISymbol> _initializing = [];

    /// <summary>The recipes that are being followed, innermost last.</summary>
    private readonly List<IMethodSymbol> _defining = [];

    private int _recipesFollowed;

    private object? Field(IFieldReferenceOperation reference, string pointer)
    {
        var field = reference.Field;
        if (field is { IsStatic: true, IsReadOnly: true }
            && SyntaxOf(field) is VariableDeclaratorSyntax { Initializer: { } initializer }
            && !field.GetAttributes().Any(a => a.AttributeClass?.Name == nameof(ThreadStaticAttribute)))
            return Initialized(field, initializer, reference, pointer);
        throw NotConstant(reference, $"the field {field.Name} is not static readonly with a constant value");
    }

    private object? Property(IPropertyReferenceOperation reference, string pointer)
    {
        var property = reference.Property;
        if (property.IsStatic && LinkedTypes.TwinOf(property.ContainingType) is { } twin)
            return twin.GetProperty(property.Name)?.GetValue(null);
        if (property is { IsStatic: true, IsVirtual: false, IsAbstract: false, SetMethod: null } && SyntaxOf(property) is PropertyDeclarationSyntax declaration)
        {
            if (GetterOf(declaration) is { } getter)
                return Remembered(property, () => Followed(getter, pointer));
            if (declaration is { Initializer: { } initializer, AccessorList.Accessors: [{ Body: null, ExpressionBody: null }] })
                return Initialized(property, initializer, reference, pointer);
        }

        throw NotConstant(reference, $"the property {property.Name} is not static and get-only with a constant value");
    }

    /// <summary>The expression that a property without an initialiser returns.</summary>
    private static ExpressionSyntax? GetterOf(PropertyDeclarationSyntax property) =>
        property.Initializer is not null ? null
        : property.ExpressionBody?.Expression
        ?? (property.AccessorList?.Accessors is [var getter] ? ExpressionOf(getter.ExpressionBody, getter.Body) : null);

    private object? Initialized(ISymbol member, EqualsValueClauseSyntax initializer, IOperation reference, string pointer)
    {
        return Remembered(member, () => InitializedAnew(member, initializer, reference, pointer));
    }

    private object? InitializedAnew(ISymbol member, EqualsValueClauseSyntax initializer, IOperation reference, string pointer)
    {
        if (member.ContainingType.StaticConstructors.Any(c => !c.IsImplicitlyDeclared))
            throw NotConstant(reference, $"{member.ContainingType.Name} has a static constructor, which may set {member.Name}");
        if (_initializing.Exists(m => SymbolEqualityComparer.Default.Equals(m.ContainingType, member.ContainingType))
            && !IsInitializedBefore(member, _initializing[_initializing.Count - 1]))
            throw NotConstant(reference, $"{member.Name} may not be initialised yet when it is read here");

        _initializing.Add(member);
        try
        {
            return Followed(initializer, pointer);
        }
        finally
        {
            _initializing.RemoveAt(_initializing.Count - 1);
        }
    }

    /// <summary>Another recipe, as a stage or a part of this one.</summary>
    private object? Defined(INamedTypeSymbol recipe, IMethodSymbol define, IOperation call, string pointer)
    {
        if (_defining.Exists(d => SymbolEqualityComparer.Default.Equals(d, define)))
            throw NotConstantException.Cycle(call.Syntax, recipe.Name);
        if (SyntaxOf(define.PartialImplementationPart ?? define) is not MethodDeclarationSyntax method
            || ExpressionOf(method.ExpressionBody, method.Body) is not { } expression)
            throw NotConstant(call, $"{recipe.Name}.Define is more than one return of an expression");
        _defining.Add(define);
        _recipesFollowed++;
        try
        {
            return Followed(expression, pointer);
        }
        finally
        {
            _defining.RemoveAt(_defining.Count - 1);
        }
    }

    private bool IsInitializedBefore(ISymbol member, ISymbol reader) =>
        SymbolEqualityComparer.Default.Equals(member.ContainingType, reader.ContainingType)
        && SyntaxOf(member) is { } first && SyntaxOf(reader) is { } second
        && first.Parent?.FirstAncestorOrSelf<TypeDeclarationSyntax>() == second.Parent?.FirstAncestorOrSelf<TypeDeclarationSyntax>()
        && first.SpanStart < second.SpanStart;

    /// <summary>Evaluates what another member stands for. Its parts keep the place that refers to the member.</summary>
    private object? Followed(SyntaxNode value, string pointer)
    {
        _inMember++;
        try
        {
            var operation = OperationOf(value);
            return Evaluate(operation is ISymbolInitializerOperation initializer ? initializer.Value : operation, pointer);
        }
        finally
        {
            _inMember--;
        }
    }

    /// <summary>
    /// The value of a member, evaluated once in a compilation. One that is read while another is initialised is not
    /// remembered, since it may not be there yet, and neither is one that is made of recipes, which may form a circle.
    /// </summary>
    private object? Remembered(ISymbol member, Func<object?> follow)
    {
        if (_initializing.Count > 0)
            return follow();
        var members = FoldMemory.MembersOf(_compilation);
        if (members.TryGetValue(member, out var known) && _steps + known.Steps <= MaxSteps && _depth + known.Depth <= MaxDepth)
        {
            _steps += known.Steps;
            _deepest = Math.Max(_deepest, _depth + known.Depth);
            _trees.UnionWith(known.Trees);
            return known.Value;
        }

        var (outer, outerDeepest, steps, recipes) = (_trees, _deepest, _steps, _recipesFollowed);
        (_trees, _deepest) = ([], _depth);
        try
        {
            SyntaxOf(member);
            var value = follow();
            if (_recipesFollowed == recipes)
                members[member] = new FollowedMember(value, [.. _trees], _steps - steps, _deepest - _depth);
            return value;
        }
        finally
        {
            outer.UnionWith(_trees);
            (_trees, _deepest) = (outer, Math.Max(outerDeepest, _deepest));
        }
    }

    private SyntaxNode? SyntaxOf(ISymbol member)
    {
        if (member.DeclaringSyntaxReferences.FirstOrDefault() is not { } reference)
            return null;
        _trees.Add(reference.SyntaxTree);
        return reference.GetSyntax(_cancellation);
    }
}
