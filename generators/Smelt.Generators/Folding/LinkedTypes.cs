using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Smelt.Recipes;

namespace Smelt.Generators.Folding;

/// <summary>
/// The recipe language as this assembly has it: it compiles the recipe sources itself, so each type and member of theirs
/// that a compilation refers to has its twin here.
/// </summary>
internal static class LinkedTypes
{
    private const string RecipesAssembly = "Smelt.Recipes";
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance;

    /// <summary>Twins that were looked for, none included; a symbol's twin never changes.</summary>
    private static readonly ConditionalWeakTable<ISymbol, Twin> Twins = new();

    /// <summary>The twin of a type of the recipe language; null for any other type.</summary>
    public static Type? TwinOf(ITypeSymbol? type) =>
        type is INamedTypeSymbol named && named.ContainingAssembly?.Name == RecipesAssembly
            ? (Type?)Twins.GetValue(named, static t => new Twin(FindType((INamedTypeSymbol)t))).Member
            : null;

    private static Type? FindType(INamedTypeSymbol named)
    {
        var twin = typeof(Recipe).Assembly.GetType(named.ContainingNamespace.ToDisplayString() + "." + named.MetadataName);
        if (twin is not { IsGenericTypeDefinition: true })
            return twin;
        var arguments = named.TypeArguments.Select(ClrType).ToArray();
        return arguments.Any(a => a is null) ? null : twin.MakeGenericType(arguments!);
    }

    /// <summary>The twin of a type, or the type itself for numbers, texts and arrays; null for any other type.</summary>
    public static Type? ClrType(ITypeSymbol? type) => type switch
    {
        IArrayTypeSymbol { IsSZArray: true } array => ClrType(array.ElementType)?.MakeArrayType(),
        INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T, TypeArguments: [var inner] } =>
            ClrType(inner) is { } t ? typeof(Nullable<>).MakeGenericType(t) : null,
        _ => Simple(type?.SpecialType) ?? TwinOf(type),
    };

    /// <summary>The twin of a static method or an operator; null where the recipe language has none.</summary>
    public static MethodInfo? TwinOf(IMethodSymbol method) => (MethodInfo?)Twins.GetValue(method, static m => new Twin(FindMethod((IMethodSymbol)m))).Member;

    private static MethodInfo? FindMethod(IMethodSymbol method) =>
        TwinOf(method.ContainingType)?.GetMethods(Members)
            .FirstOrDefault(m => m.IsStatic && m.Name == method.Name && m.ReturnType == ClrType(method.ReturnType) && HasParameters(m, method));

    /// <summary>The twin of a constructor; null where the recipe language has none.</summary>
    public static ConstructorInfo? ConstructorOf(IMethodSymbol constructor) =>
        (ConstructorInfo?)Twins.GetValue(constructor, static c => new Twin(FindConstructor((IMethodSymbol)c))).Member;

    private static ConstructorInfo? FindConstructor(IMethodSymbol constructor) =>
        TwinOf(constructor.ContainingType)?.GetConstructors().FirstOrDefault(c => HasParameters(c, constructor));

    /// <summary>Whether a value can stand where a type is asked for.</summary>
    public static bool Fits(object? value, Type type) =>
        value is null ? !type.IsValueType || Nullable.GetUnderlyingType(type) is not null : type.IsInstanceOfType(value);

    /// <summary>
    /// A value as the compiler holds it (an enum's member as its number, say) or after a conversion that loses nothing, as
    /// a value of a type.
    /// </summary>
    public static object? As(object? value, ITypeSymbol? type)
    {
        if (value is null || type is null)
            return value;
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T, TypeArguments: [var inner] })
            return As(value, inner);
        if (type.TypeKind == TypeKind.Enum)
            return value is not Enum && TwinOf(type) is { } twin ? Enum.ToObject(twin, value) : value;
        return value is IConvertible and not (string or bool or Enum) && Simple(type.SpecialType) is { IsPrimitive: true } number
            ? System.Convert.ChangeType(value is char c ? (int)c : value, number, CultureInfo.InvariantCulture)
            : value;
    }

    private static bool HasParameters(MethodBase twin, IMethodSymbol method)
    {
        var parameters = twin.GetParameters();
        return parameters.Length == method.Parameters.Length
            && parameters.Zip(method.Parameters, (p, symbol) => p.ParameterType == ClrType(symbol.Type)).All(same => same);
    }

    private static Type? Simple(SpecialType? type) => type switch
    {
        SpecialType.System_Boolean => typeof(bool),
        SpecialType.System_SByte => typeof(sbyte),
        SpecialType.System_Byte => typeof(byte),
        SpecialType.System_Int16 => typeof(short),
        SpecialType.System_UInt16 => typeof(ushort),
        SpecialType.System_Int32 => typeof(int),
        SpecialType.System_UInt32 => typeof(uint),
        SpecialType.System_Int64 => typeof(long),
        SpecialType.System_UInt64 => typeof(ulong),
        SpecialType.System_Single => typeof(float),
        SpecialType.System_Double => typeof(double),
        SpecialType.System_String => typeof(string),
        SpecialType.System_Object => typeof(object),
        _ => null,
    };

    /// <summary>A type, method or constructor of this assembly, or none.</summary>
    private sealed class Twin(MemberInfo? member)
    {
        public MemberInfo? Member { get; } = member;
    }
}
