using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;
using Smelt.Generators.Methods;
using Smelt.Recipes;

namespace Smelt.Generators.Folding;

/// <summary>
/// Folds the expression of a recipe's Define method by building the recipe's objects: every construction, conversion and
/// factory call of the recipe language is done by reflection on its twin in this assembly (<see cref="LinkedTypes"/>).
/// Nothing else is ever executed, and what is folded is what the code makes when it runs, or it is not folded.
/// </summary>
internal sealed partial class RecipeFolder
{
    /// <summary>How deep expressions may nest, members followed included.</summary>
    private const int MaxDepth = 64;

    /// <summary>How many expressions are evaluated: lists that spread each other can grow beyond any bound.</summary>
    private const int MaxSteps = 50_000;

    private readonly Compilation _compilation;
    private readonly CancellationToken _cancellation;
    private readonly Places _places = new();
    private int _depth;
    private int _steps;
    private int _inMember;

    private HashSet<SyntaxTree> _trees = [];
    private int _deepest;

    /// <summary>A folder for one Define method.</summary>
    /// <param name="compilation">The compilation it belongs to.</param>
    /// <param name="cancellation">Stops the work.</param>
    public RecipeFolder(Compilation compilation, CancellationToken cancellation)
    {
        _compilation = compilation;
        _cancellation = cancellation;
    }

    /// <summary>The sources that were looked into so far.</summary>
    public IEnumerable<SyntaxTree> Trees => _trees;

    /// <summary>Folds a Define method.</summary>
    /// <param name="define">The method.</param>
    /// <param name="compilation">The compilation it belongs to.</param>
    /// <param name="places">The expression of each part.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="NotConstantException">The method is more than a constant expression.</exception>
    public static Recipe Fold(IMethodSymbol define, Compilation compilation, out Places places, CancellationToken cancellation) =>
        Fold<Recipe>(define, compilation, out places, cancellation);

    /// <summary>Folds a Define method that returns a recipe or an experiment.</summary>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="define">The method.</param>
    /// <param name="compilation">The compilation it belongs to.</param>
    /// <param name="places">The expression of each part.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="NotConstantException">The method is more than a constant expression.</exception>
    public static T Fold<T>(IMethodSymbol define, Compilation compilation, out Places places, CancellationToken cancellation)
        where T : class
    {
        var folder = new RecipeFolder(compilation, cancellation);
        places = folder._places;
        return folder.Fold<T>(define);
    }

    /// <summary>Folds the Define method that returns a recipe or an experiment.</summary>
    /// <typeparam name="T">What it returns.</typeparam>
    /// <param name="define">The method.</param>
    /// <exception cref="NotConstantException">The method is more than a constant expression.</exception>
    public T Fold<T>(IMethodSymbol define)
        where T : class
    {
        if (SyntaxOf(define.PartialImplementationPart ?? define) is not MethodDeclarationSyntax method
            || ExpressionOf(method.ExpressionBody, method.Body) is not { } expression)
            throw new NotConstantException(define.Locations[0], "Define is more than one return of an expression");
        _places.Set("", expression);
        _defining.Add(define);
        var operation = OperationOf(expression);
        return Evaluate(operation, "") as T ?? throw NotConstant(operation, $"the expression is no {typeof(T).Name.ToLowerInvariant()}");
    }

    private static ExpressionSyntax? ExpressionOf(ArrowExpressionClauseSyntax? arrow, BlockSyntax? block) =>
        arrow?.Expression ?? (block?.Statements is [ReturnStatementSyntax { Expression: { } returned }] ? returned : null);

    private IOperation OperationOf(SyntaxNode node)
    {
        while (Inside(node) is { } inner)
            node = inner;
#pragma warning disable RS1030 // The folder follows members into other trees; a context's own model covers one tree alone.
        var model = _compilation.GetSemanticModel(node.SyntaxTree);
#pragma warning restore RS1030
        var operation = model.GetOperation(node, _cancellation) ?? throw NotConstantException.Broken(node);

        // Conversions to the type of the member belong to the expression, but its node gives the operation inside them.
        while (operation.Parent is IConversionOperation { IsImplicit: true } conversion && conversion.Syntax == operation.Syntax)
            operation = conversion;
        return operation;
    }

    /// <summary>The expression in parentheses or before a <c>!</c>, which are no operations of their own; null for others.</summary>
    private static ExpressionSyntax? Inside(SyntaxNode node) => node switch
    {
        ParenthesizedExpressionSyntax parenthesized => parenthesized.Expression,
        PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.SuppressNullableWarningExpression } suppressed => suppressed.Operand,
        _ => null,
    };

    private object? Evaluate(IOperation operation, string pointer)
    {
        _cancellation.ThrowIfCancellationRequested();
        Count(operation);
        if (operation is IInvalidOperation or IConversionOperation { Conversion.Exists: false } || operation.Type?.TypeKind == TypeKind.Error)
            throw NotConstantException.Broken(operation.Syntax);
        if (++_depth > MaxDepth)
            throw NotConstant(operation, "the expression is nested too deeply");
        _deepest = Math.Max(_deepest, _depth);
        try
        {
            if (operation.ConstantValue is { HasValue: true, Value: var constant })
                return Checked(LinkedTypes.As(constant, operation.Type), operation);
            return operation switch
            {
                IParenthesizedOperation parenthesized => Evaluate(parenthesized.Operand, pointer),
                IConversionOperation conversion => Convert(conversion, pointer),
                IObjectCreationOperation creation => Create(creation, pointer),
                IWithOperation with => With(with, pointer),
                ICollectionExpressionOperation collection => Collect(collection, pointer),
                IArrayCreationOperation { Initializer: { } initializer, Type: IArrayTypeSymbol { IsSZArray: true } array } =>
                    ToList(initializer.ElementValues.Select((e, i) => Place(e, Places.Append(pointer, i))), array, operation),
                IInvocationOperation invocation => Invoke(invocation, pointer),
                IFieldReferenceOperation field => Field(field, pointer),
                IPropertyReferenceOperation property => Property(property, pointer),
                IDefaultValueOperation => DefaultOf(operation),
                _ => throw NotConstant(operation, "the expression is no constant, no part of the recipe language and no static readonly member"),
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
            _places.Set(pointer, operation.Syntax);
        return Evaluate(operation, pointer);
    }

    /// <summary>As <see cref="Place"/>, but the call as a whole keeps its place where the argument has none of its own.</summary>
    private object? PlaceArgument(IOperation operation, string pointer) =>
        _places.Contains(pointer) ? Evaluate(operation, pointer) : Place(operation, pointer);

    private object? Convert(IConversionOperation conversion, string pointer)
    {
        if (conversion is { OperatorMethod.ContainingType: { } target, Operand: IRangeOperation range } && LinkedTypes.TwinOf(target) == typeof(LayerRange))
            return new LayerRange(Index(range.LeftOperand, pointer) ?? 0, Index(range.RightOperand, pointer));
        var isExpert = conversion.OperatorMethod is { } toExpert && LinkedTypes.TwinOf(toExpert.ContainingType) == typeof(Expert);
        var value = isExpert ? Place(conversion.Operand, pointer + "/model") : Evaluate(conversion.Operand, pointer);
        if (conversion.OperatorMethod is { } method)
            return Call(method, [Given(value, method.Parameters[0].Type, conversion.Operand)], conversion);
        if (conversion.Conversion.IsImplicit)
            return LinkedTypes.As(value, conversion.Type);
        if (conversion.Conversion.IsReference && LinkedTypes.ClrType(conversion.Type) is { } type && LinkedTypes.Fits(value, type))
            return value;
        throw NotConstant(conversion, "the conversion may change the value");
    }

    /// <summary>An end of a range; null where it is left open, and -1, which no rule allows, where it counts from the end.</summary>
    private int? Index(IOperation? operand, string pointer) => operand switch
    {
        null => null,
        IConversionOperation { Operand: var number } when number.Type?.SpecialType == SpecialType.System_Int32 => (int)Evaluate(number, pointer)!,
        IUnaryOperation { OperatorKind: UnaryOperatorKind.Hat } => -1,
        _ => throw NotConstant(operand, "the end of the range is no number"),
    };

    private object Create(IObjectCreationOperation creation, string pointer)
    {
        var symbol = creation.Constructor ?? throw NotConstantException.Broken(creation.Syntax);
        if (MethodDeclaration.IdOf(creation.Type) is not null)
        {
            var outside = OutsideRecipes.Create((INamedTypeSymbol)creation.Type!, out var why) ?? throw NotConstant(creation, why);
            return Initialize(outside, creation.Initializer, pointer);
        }

        var constructor = LinkedTypes.ConstructorOf(symbol) ?? throw NotOurs(creation, creation.Type);
        var arguments = Arguments(creation.Arguments, parameter => Places.Append(pointer, Slots.CamelCase(parameter.Name)));
        return Initialize(Reflected(creation, () => constructor.Invoke(arguments))!, creation.Initializer, pointer);
    }

    private object With(IWithOperation with, string pointer)
    {
        var value = Evaluate(with.Operand, pointer) ?? throw NotConstant(with, "there is nothing to copy");
        var clone = value.GetType().GetMethod("<Clone>$")?.Invoke(value, null) ?? throw NotOurs(with, with.Type);
        return Initialize(clone, with.Initializer, pointer);
    }

    private object Initialize(object target, IObjectOrCollectionInitializerOperation? initializer, string pointer)
    {
        foreach (var element in initializer?.Initializers ?? [])
        {
            if (element is IInvalidOperation or ISimpleAssignmentOperation { Target: IInvalidOperation })
                throw NotConstantException.Broken(element.Syntax);
            if (element is not ISimpleAssignmentOperation { Target: IPropertyReferenceOperation { Property: var property }, Value: var value })
                throw NotConstant(element, "only properties can be set here");
            if (target is OutsideRecipe outside && outside.OwnSlots.FirstOrDefault(s => s.Property == property.Name) is { } slot)
            {
                var text = OutsideRecipes.Text(Given(Place(value, Places.Append(pointer, slot.Name)), property.Type, value), property.Type);
                if (!LinkedTypes.Fits(text, slot.Type))
                    throw NotConstant(value, "the value is none that a configuration can hold");
                target = slot.With(outside, text);
                continue;
            }

            if (target.GetType().GetProperty(property.Name) is not { CanWrite: true } twin)
                throw NotConstant(element, "only properties can be set here");
            var given = Given(Place(value, Places.Append(pointer, Slots.CamelCase(property.Name))), property.Type, value);
            if (!LinkedTypes.Fits(given, twin.PropertyType))
                throw NotConstantException.Broken(value.Syntax);
            twin.SetValue(target, given);
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
                items.Add(Place(element, Places.Append(pointer, items.Count)));
                continue;
            }

            if (Evaluate(spread.Operand, pointer) is not System.Collections.IEnumerable values)
                throw NotConstant(spread, "only lists can be spread");
            foreach (var value in values)
            {
                Count(spread);
                if (_inMember == 0)
                    _places.Set(Places.Append(pointer, items.Count), spread.Syntax);
                items.Add(spread.ElementConversion switch
                {
                    { MethodSymbol: { } method } => Call(method, [Given(value, method.Parameters[0].Type, spread)], spread),
                    { Exists: true, IsImplicit: true } => value,
                    _ => throw NotConstantException.Broken(spread.Syntax),
                });
            }
        }

        return ToList(items, collection.Type, collection);
    }

    private object? Invoke(IInvocationOperation invocation, string pointer)
    {
        var method = invocation.TargetMethod;
        if (method is { Name: "Define", IsStatic: true, ContainingType: { } stage } && RecipeDeclaration.AttributeOf(stage) is not null
            && SymbolEqualityComparer.Default.Equals(RecipeDeclaration.DefineOf(stage), method))
            return Defined(stage, method, invocation, pointer);
        if (LinkedTypes.TwinOf(method.ContainingType) != typeof(Syntax))
            throw NotConstant(invocation, $"the call of {method.Name} can't be folded; only the words of the recipe language can");
        if (method is { Name: nameof(Syntax.From), TypeArguments: [INamedTypeSymbol named] })
        {
            var define = RecipeDeclaration.DefineOf(named) ?? throw NotConstantException.Broken(invocation.Syntax);
            var attribute = RecipeDeclaration.AttributeOf(named) ?? throw NotConstantException.UnknownStage(invocation.Syntax, named.Name);
            return Syntax.From((Recipe)Defined(named, define, invocation, pointer + "/stage")!, RecipeDeclaration.NameOf(attribute));
        }

        return Call(method, Arguments(invocation.Arguments, parameter => pointer + PartOf(method, parameter)), invocation);
    }

    /// <summary>Where the argument of a word of the recipe language stands in the configuration, seen from the word.</summary>
    private static string PartOf(IMethodSymbol method, IParameterSymbol parameter) => (method.Name, parameter.Name) switch
    {
        (nameof(Syntax.Sweep), _) => "/sweep",
        (nameof(Syntax.Zip), "axis") => "/axis",
        (nameof(Syntax.Zip), _) => "/zip",
        (nameof(Syntax.Gradient), _) => "/gradient",
        (nameof(Syntax.Folder), _) => "/folder",
        (nameof(Syntax.Hub), "id") => "/hub",
        (nameof(Syntax.Hub), _) => "/revision",
        (nameof(Syntax.Keep), _) => "/keep",
        (nameof(Syntax.On), _) => "/on",
        (nameof(Syntax.Stack), _) => "/slices",
        (nameof(Syntax.From), "model") => "/experts/0/model",
        (nameof(Syntax.Pool), "baseModel") => "/base",
        (nameof(Syntax.Pool) or nameof(Syntax.Arm), var name) => "/" + name,
        (nameof(Syntax.From) or nameof(Syntax.Part), var name) => "/" + name,
        _ => "",
    };

    private object?[] Arguments(IEnumerable<IArgumentOperation> arguments, Func<IParameterSymbol, string> pointer) =>
        [.. arguments.OrderBy(a => a.Parameter?.Ordinal ?? 0).Select(a => a.Parameter is { } parameter
            ? Given(PlaceArgument(a.Value, pointer(parameter)), parameter.Type, a.Value)
            : throw NotConstantException.Broken(a.Syntax))];

    private static object? Call(IMethodSymbol method, object?[] arguments, IOperation operation)
    {
        var twin = LinkedTypes.TwinOf(method) ?? throw NotOurs(operation, method.ContainingType);
        return Reflected(operation, () => twin.Invoke(null, arguments));
    }

    private static object ToList(IEnumerable<object?> items, ITypeSymbol? type, IOperation operation)
    {
        var element = type switch
        {
            IArrayTypeSymbol array => array.ElementType,
            INamedTypeSymbol { TypeArguments: { Length: 1 } arguments } => arguments[0],
            _ => null,
        };
        var itemType = LinkedTypes.ClrType(element) ?? throw NotOurs(operation, type);
        var list = items.Select(i => LinkedTypes.As(Given(i, element!, operation), element)).ToArray();
        if (!list.All(i => LinkedTypes.Fits(i, itemType)))
            throw NotConstantException.Broken(operation.Syntax);
        var typed = Array.CreateInstance(itemType, list.Length);
        list.CopyTo(typed, 0);
        return LinkedTypes.TwinOf(type) is null
            ? typed
            : typeof(Sequence).GetMethod(nameof(Sequence.From))!.MakeGenericMethod(itemType).Invoke(null, [typed])!;
    }

    private static object? DefaultOf(IOperation operation)
    {
        if (operation.Type is { IsReferenceType: true } or { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T })
            return null;
        return LinkedTypes.ClrType(operation.Type) is { } type ? Activator.CreateInstance(type) : throw NotOurs(operation, operation.Type);
    }

    /// <summary>A value that is handed on; null only where the type has a place for it.</summary>
    private static object? Given(object? value, ITypeSymbol type, IOperation operation) =>
        value is null && type is { IsReferenceType: true, NullableAnnotation: not NullableAnnotation.Annotated }
            ? throw NotConstant(operation, "null stands where a value is needed")
            : value;

    /// <summary>A constant that a configuration can hold.</summary>
    private static object? Checked(object? value, IOperation operation) =>
        value is string text && !IsUnicode(text) ? throw NotConstant(operation, "the text holds half a surrogate pair, which a configuration can't") : value;

    private static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }

        return true;
    }

    private static object? Reflected(IOperation operation, Func<object?> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is TargetInvocationException or ArgumentException)
        {
            throw NotConstant(operation, (e.InnerException ?? e).Message);
        }
    }

    private void Count(IOperation operation)
    {
        if (++_steps > MaxSteps)
            throw NotConstant(operation, "the recipe has too many parts");
    }

    private static NotConstantException NotConstant(IOperation operation, string what) => new(operation.Syntax.GetLocation(), what);

    private static NotConstantException NotOurs(IOperation operation, ITypeSymbol? type) =>
        NotConstant(operation, $"{type?.ToDisplayString() ?? "the type"} is not part of the recipe language");
}
