using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;
using Smelt.Recipes;

namespace Smelt.Generators.Folding;

/// <summary>An expression that is not in the closed set that can be folded.</summary>
internal sealed class NotConstantException(SyntaxNode syntax, string what) : Exception(what)
{
    /// <summary>The expression.</summary>
    public SyntaxNode Syntax { get; } = syntax;
}

/// <summary>
/// Folds the expression of a recipe's Define method by building the recipe's objects: this assembly compiles the recipe
/// sources itself, so every construction, conversion and factory call of theirs is done by reflection on the same types.
/// Nothing else is ever executed.
/// </summary>
internal sealed class RecipeFolder
{
    private const int MaxDepth = 64;
    private const string RecipesAssembly = "Smelt.Recipes";

    private readonly Compilation _compilation;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<string, SyntaxNode> _places = new(StringComparer.Ordinal);
    private int _depth;
    private int _inMember;

    private RecipeFolder(Compilation compilation, CancellationToken cancellation)
    {
        _compilation = compilation;
        _cancellation = cancellation;
    }

    /// <summary>Folds a Define method.</summary>
    /// <param name="define">The method.</param>
    /// <param name="compilation">The compilation it belongs to.</param>
    /// <param name="places">The expression of each part, by JSON pointer.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="NotConstantException">The method is more than a constant expression.</exception>
    public static Recipe Fold(IMethodSymbol define, Compilation compilation, out IReadOnlyDictionary<string, SyntaxNode> places, CancellationToken cancellation)
    {
        var folder = new RecipeFolder(compilation, cancellation);
        places = folder._places;
        var syntax = define.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax(cancellation) as MethodDeclarationSyntax
            ?? throw new InvalidOperationException("Define has no source.");
        var expression = ExpressionOf(syntax) ?? throw new NotConstantException(syntax, "Define is more than one return of an expression");
        folder._places[""] = expression;
        return folder.Evaluate(folder.OperationOf(expression), "") as Recipe
            ?? throw new NotConstantException(expression, "the expression is no recipe");
    }

    private static ExpressionSyntax? ExpressionOf(MethodDeclarationSyntax method) =>
        method.ExpressionBody?.Expression
        ?? (method.Body is { Statements: { Count: 1 } statements } && statements[0] is ReturnStatementSyntax { Expression: { } returned } ? returned : null);

    private IOperation OperationOf(SyntaxNode node)
    {
        while (node is ParenthesizedExpressionSyntax parenthesized)
            node = parenthesized.Expression;
#pragma warning disable RS1030 // The folder follows members into other trees; a context's own model covers one tree alone.
        var model = _compilation.GetSemanticModel(node.SyntaxTree);
#pragma warning restore RS1030
        return model.GetOperation(node, _cancellation) ?? throw new NotConstantException(node, "the expression has no meaning yet");
    }

    private object? Evaluate(IOperation operation, string pointer)
    {
        _cancellation.ThrowIfCancellationRequested();
        if (++_depth > MaxDepth)
            throw new NotConstantException(operation.Syntax, "the expression is nested too deeply");
        try
        {
            if (operation.ConstantValue is { HasValue: true, Value: var constant })
                return ToType(constant, operation.Type);
            return operation switch
            {
                IParenthesizedOperation parenthesized => Evaluate(parenthesized.Operand, pointer),
                IConversionOperation conversion => Convert(conversion, pointer),
                IObjectCreationOperation creation => Create(creation, pointer),
                IWithOperation with => With(with, pointer),
                ICollectionExpressionOperation collection => Collect(collection, pointer),
                IArrayCreationOperation { Initializer: { } initializer, Type: IArrayTypeSymbol array } => ToList(initializer.ElementValues.Select((e, i) => Place(e, Append(pointer, i))), array, operation),
                IInvocationOperation invocation => Invoke(invocation, pointer),
                IFieldReferenceOperation field => Field(field, pointer),
                IPropertyReferenceOperation property => Property(property, pointer),
                IDefaultValueOperation => null,
                _ => throw new NotConstantException(operation.Syntax, "the expression is no constant, no part of the recipe language and no static readonly member"),
            };
        }
        finally
        {
            _depth--;
        }
    }

    /// <summary>Evaluates a part and remembers where it stands. Parts of other members keep the place that refers to them.</summary>
    private object? Place(IOperation operation, string pointer)
    {
        if (_inMember == 0)
            _places[pointer] = operation.Syntax;
        return Evaluate(operation, pointer);
    }

    /// <summary>As <see cref="Place"/>, but the call as a whole keeps its place where the argument has none of its own.</summary>
    private object? PlaceArgument(IOperation operation, string pointer) =>
        _places.ContainsKey(pointer) ? Evaluate(operation, pointer) : Place(operation, pointer);

    private object? Convert(IConversionOperation conversion, string pointer)
    {
        var value = Evaluate(conversion.Operand, pointer);
        return conversion.OperatorMethod is { } method ? Call(method, [value], conversion) : ToType(value, conversion.Type);
    }

    private object Create(IObjectCreationOperation creation, string pointer)
    {
        var type = LinkedType(creation.Type) ?? throw NotOurs(creation, creation.Type);
        var arguments = Arguments(creation.Arguments, parameter => Append(pointer, Slots.CamelCase(parameter.Name)));
        var constructor = type.GetConstructors().FirstOrDefault(c => Accepts(c.GetParameters(), arguments))
            ?? throw NotOurs(creation, creation.Type);
        return Initialize(constructor.Invoke(arguments), creation.Initializer, pointer);
    }

    private object With(IWithOperation with, string pointer)
    {
        var value = Evaluate(with.Operand, pointer) ?? throw new NotConstantException(with.Syntax, "there is nothing to copy");
        var clone = value.GetType().GetMethod("<Clone>$")?.Invoke(value, null) ?? throw NotOurs(with, with.Type);
        return Initialize(clone, with.Initializer, pointer);
    }

    private object Initialize(object target, IObjectOrCollectionInitializerOperation? initializer, string pointer)
    {
        foreach (var element in initializer?.Initializers ?? [])
        {
            if (element is not ISimpleAssignmentOperation { Target: IPropertyReferenceOperation { Property: var property }, Value: var value }
                || target.GetType().GetProperty(property.Name) is not { CanWrite: true } linked)
                throw new NotConstantException(element.Syntax, "only properties can be set here");
            linked.SetValue(target, Place(value, Append(pointer, Slots.CamelCase(property.Name))));
        }

        return target;
    }

    private object Collect(ICollectionExpressionOperation collection, string pointer)
    {
        var items = new List<object?>();
        foreach (var element in collection.Elements)
        {
            if (element is not ISpreadOperation spread)
            {
                items.Add(Place(element, Append(pointer, items.Count)));
                continue;
            }

            if (Evaluate(spread.Operand, pointer) is not System.Collections.IEnumerable values)
                throw new NotConstantException(spread.Syntax, "only lists can be spread");
            foreach (var value in values)
            {
                if (_inMember == 0)
                    _places[Append(pointer, items.Count)] = spread.Syntax;
                items.Add(spread.ElementConversion.MethodSymbol is { } method ? Call(method, [value], spread) : value);
            }
        }

        return ToList(items, collection.Type, collection);
    }

    private object? Invoke(IInvocationOperation invocation, string pointer)
    {
        var method = invocation.TargetMethod;
        if (!method.IsStatic || method.ContainingType is null || LinkedType(method.ContainingType) != typeof(Syntax))
            throw new NotConstantException(invocation.Syntax, $"the call of {method.Name} can't be folded; only the words of the recipe language can");
        var part = method.Name switch { nameof(Syntax.Sweep) => "/sweep", nameof(Syntax.Keep) => "/keep", nameof(Syntax.On) => "/on", _ => "" };
        return Call(method, Arguments(invocation.Arguments, _ => pointer + part), invocation);
    }

    private object? Field(IFieldReferenceOperation reference, string pointer)
    {
        var field = reference.Field;
        if (field.IsStatic && field.IsReadOnly
            && field.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax(_cancellation) is VariableDeclaratorSyntax { Initializer: { } initializer })
            return Member(initializer, pointer);
        throw new NotConstantException(reference.Syntax, $"the field {field.Name} is not static readonly with a constant value");
    }

    private object? Property(IPropertyReferenceOperation reference, string pointer)
    {
        var property = reference.Property;
        if (LinkedType(property.ContainingType) is { } linked && property.IsStatic)
            return linked.GetProperty(property.Name)?.GetValue(null);
        if (property is { IsStatic: true, SetMethod: null }
            && property.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax(_cancellation) is PropertyDeclarationSyntax declaration)
        {
            if (declaration.ExpressionBody is { } body)
                return Member(body.Expression, pointer);
            if (declaration.Initializer is { } initializer)
                return Member(initializer, pointer);
        }

        throw new NotConstantException(reference.Syntax, $"the property {property.Name} is not static and get-only with a constant value");
    }

    private object? Member(SyntaxNode value, string pointer)
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

    private object?[] Arguments(IEnumerable<IArgumentOperation> arguments, Func<IParameterSymbol, string> pointer) =>
        [.. arguments.OrderBy(a => a.Parameter?.Ordinal ?? 0).Select(a => a.Parameter is { } parameter
            ? PlaceArgument(a.Value, pointer(parameter))
            : throw new NotConstantException(a.Syntax, "the argument belongs to no parameter"))];

    private static object? Call(IMethodSymbol method, object?[] arguments, IOperation operation)
    {
        var linked = LinkedType(method.ContainingType)?.GetMethods(BindingFlags.Public | BindingFlags.Static)
            .FirstOrDefault(m => m.Name == method.Name && Accepts(m.GetParameters(), arguments) && IsReturnType(m.ReturnType, method.ReturnType))
            ?? throw NotOurs(operation, method.ContainingType);
        try
        {
            return linked.Invoke(null, arguments);
        }
        catch (TargetInvocationException e)
        {
            throw new NotConstantException(operation.Syntax, e.InnerException!.Message);
        }
    }

    private static bool IsReturnType(Type linked, ITypeSymbol symbol) => linked.Name == symbol.MetadataName;

    private static bool Accepts(ParameterInfo[] parameters, object?[] arguments) =>
        parameters.Length == arguments.Length
        && parameters.Zip(arguments, (p, a) => a is null ? !p.ParameterType.IsValueType : p.ParameterType.IsInstanceOfType(a)).All(fits => fits);

    private static object ToList(IEnumerable<object?> items, ITypeSymbol? type, IOperation operation)
    {
        var element = type switch
        {
            IArrayTypeSymbol array => array.ElementType,
            INamedTypeSymbol { TypeArguments: { Length: 1 } arguments } => arguments[0],
            _ => null,
        };
        var itemType = ClrType(element) ?? throw NotOurs(operation, type);
        var list = items.ToArray();
        var typed = Array.CreateInstance(itemType, list.Length);
        for (var i = 0; i < list.Length; i++)
            typed.SetValue(list[i], i);
        return LinkedType(type) is null
            ? typed
            : typeof(Sequence).GetMethod(nameof(Sequence.From))!.MakeGenericMethod(itemType).Invoke(null, [typed])!;
    }

    private static object? ToType(object? value, ITypeSymbol? type)
    {
        if (value is null || type is null)
            return value;
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T, TypeArguments: [var inner] })
            return ToType(value, inner);
        if (type.TypeKind == TypeKind.Enum)
            return LinkedType(type) is { } linked ? Enum.ToObject(linked, value is Enum ? System.Convert.ToInt64(value) : value) : value;
        return type.SpecialType switch
        {
            SpecialType.System_Double => System.Convert.ToDouble(value),
            SpecialType.System_Int64 => System.Convert.ToInt64(value),
            _ => value,
        };
    }

    private static Type? ClrType(ITypeSymbol? type) => type?.SpecialType switch
    {
        SpecialType.System_Double => typeof(double),
        SpecialType.System_Int32 => typeof(int),
        SpecialType.System_Int64 => typeof(long),
        SpecialType.System_String => typeof(string),
        SpecialType.System_Object => typeof(object),
        _ => LinkedType(type),
    };

    /// <summary>The type of the same name in this assembly, for a type of the recipe language.</summary>
    private static Type? LinkedType(ITypeSymbol? type)
    {
        if (type is not INamedTypeSymbol named || named.ContainingAssembly?.Name != RecipesAssembly)
            return null;
        var linked = typeof(Recipe).Assembly.GetType(named.ContainingNamespace.ToDisplayString() + "." + named.MetadataName);
        if (linked is not { IsGenericTypeDefinition: true })
            return linked;
        var arguments = named.TypeArguments.Select(ClrType).ToArray();
        return arguments.Any(a => a is null) ? null : linked.MakeGenericType(arguments!);
    }

    private static string Append(string pointer, object part) => pointer + "/" + part;

    private static NotConstantException NotOurs(IOperation operation, ITypeSymbol? type) =>
        new(operation.Syntax, $"{type?.ToDisplayString() ?? "the type"} is not part of the recipe language");
}
