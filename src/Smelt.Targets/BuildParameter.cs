using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Smelt.Recipes.Configuration;

namespace Smelt.Targets;

/// <summary>A member with <see cref="ParameterAttribute"/>: its names, and how its value is read and set.</summary>
internal sealed partial class BuildParameter
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private readonly MemberInfo _member;

    private BuildParameter(MemberInfo member, ParameterAttribute attribute) => (_member, Attribute) = (member, attribute);

    public ParameterAttribute Attribute { get; }
    public string Name => _member.Name is ['_', var first, .. var rest] ? char.ToUpperInvariant(first) + rest : _member.Name;

    /// <summary>As on the command line: <c>--output-folder</c>.</summary>
    public string Option => "--" + Words(Name, '-');

    /// <summary>As in the environment: <c>SMELT_OUTPUT_FOLDER</c>.</summary>
    public string Variable => "SMELT_" + Words(Name, '_').ToUpperInvariant();
    public Type Type => (_member as PropertyInfo)?.PropertyType ?? ((FieldInfo)_member).FieldType;
    public bool IsList => Type.IsArray;

    /// <summary>The type of one value.</summary>
    public Type Element => Type.GetElementType() ?? Nullable.GetUnderlyingType(Type) ?? Type;

    /// <summary>Whether values of the type can be read.</summary>
    public bool IsSupported => Element.IsEnum || Element == typeof(string) || Element == typeof(bool) || Element == typeof(int) || Element == typeof(long) || Element == typeof(double);

    /// <summary>What a value looks like, for help and messages.</summary>
    public string Allowed => Element.IsEnum ? string.Join(", ", Enum.GetNames(Element))
        : Element == typeof(bool) ? "true or false"
        : Element == typeof(double) ? "a number"
        : Element == typeof(string) ? "a text"
        : "a whole number";

    /// <summary>The parameters of a build: of its class, of those it is derived from, and of its components.</summary>
    public static IReadOnlyList<BuildParameter> Of(Type build, ICollection<Problem> problems)
    {
        var parameters = new List<BuildParameter>();
        foreach (var member in BuildTypes(build).SelectMany(t => t.GetMembers(Members)))
        {
            if (member.GetCustomAttribute<ParameterAttribute>() is not { } attribute)
                continue;
            var parameter = new BuildParameter(member, attribute);
            if (!parameter.IsSupported)
                problems.Add(TargetRules.BadDefinition.At(parameter.Name, $"a parameter can't have the type {parameter.Type.Name}; allowed: string, bool, int, long, double, enums and arrays of them."));
            else if (CommandLine.EngineOptions.Contains(parameter.Option))
                problems.Add(TargetRules.BadDefinition.At(parameter.Name, $"{parameter.Option} is an option of every build.", "Give the parameter another name."));
            else if (parameters.Find(p => p.Option == parameter.Option) is not { } same)
                parameters.Add(parameter);
            else if (same.Type != parameter.Type)
                problems.Add(TargetRules.BadDefinition.At(parameter.Name, $"{same._member.DeclaringType!.Name} and {member.DeclaringType!.Name} have a parameter of this name, with different types."));
        }

        return parameters;
    }

    /// <summary>A build's class, those it is derived from, then its components.</summary>
    public static IEnumerable<Type> BuildTypes(Type build)
    {
        for (var type = build; type is not null && type != typeof(object); type = type.BaseType)
            yield return type;
        foreach (var component in build.GetInterfaces().Where(i => typeof(ISmeltBuild).IsAssignableFrom(i)).OrderBy(i => i.FullName, StringComparer.Ordinal))
            yield return component;
    }

    /// <summary>The value now: what was given, else what it is declared with.</summary>
    public object? Read(ISmeltBuild build) => _member is FieldInfo field ? field.GetValue(build) : ((PropertyInfo)_member).GetValue(build);

    /// <summary>Sets a member that holds its value itself; properties that compute theirs ask the build.</summary>
    public void Set(ISmeltBuild build, object? value)
    {
        if (_member is FieldInfo field)
            field.SetValue(build, value);
        else if (_member is PropertyInfo { SetMethod: not null } property)
            property.SetValue(build, value);
        else
            _member.DeclaringType!.GetField($"<{_member.Name}>k__BackingField", Members)?.SetValue(build, value);
    }

    /// <summary>Turns texts into a value.</summary>
    /// <param name="texts">One, or those of a list.</param>
    /// <param name="where">Where they stand.</param>
    /// <param name="problems">Takes what can't be read.</param>
    public object? Parse(IReadOnlyList<string> texts, string where, ICollection<Problem> problems)
    {
        if (!IsList && texts.Count > 1)
        {
            problems.Add(TargetRules.BadValue.At(where, $"{texts.Count} values are given ({string.Join(", ", texts)}); allowed: one."));
            return null;
        }

        var values = Array.CreateInstance(Element, texts.Count);
        for (var i = 0; i < texts.Count; i++)
        {
            if (ParseOne(texts[i]) is { } value)
                values.SetValue(value, i);
            else
                problems.Add(TargetRules.BadValue.At(where, $"'{texts[i]}' is not allowed; allowed: {Allowed}.", Element.IsEnum ? EditDistance.DidYouMean(texts[i], Enum.GetNames(Element)) : ""));
        }

        return IsList ? values : values.Length > 0 ? values.GetValue(0) : null;
    }

    private object? ParseOne(string text)
    {
        if (Element.IsEnum)
            return Enum.GetNames(Element).Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse(Element, text, ignoreCase: true) : null;
        if (Element == typeof(string))
            return text;
        if (Element == typeof(bool))
            return bool.TryParse(text, out var flag) ? flag : null;
        if (Element == typeof(double))
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return null;
        return Element == typeof(long) ? whole : whole is >= int.MinValue and <= int.MaxValue ? (int)whole : null;
    }

    /// <summary>The words of a name in lower case: <c>OutputFolder</c> as <c>output-folder</c>.</summary>
    public static string Words(string name, char between) => WordStart().Replace(name, between.ToString()).ToLowerInvariant();

    [GeneratedRegex("_|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")]
    private static partial Regex WordStart();
}
