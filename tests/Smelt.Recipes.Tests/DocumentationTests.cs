using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Smelt.Recipes.Tests;

/// <summary>What completion lists show of the recipe language: formula, paper, range and default of everything, and that they are true.</summary>
public partial class DocumentationTests
{
    private static readonly Assembly Language = typeof(Recipe).Assembly;

    private static readonly Dictionary<string, XElement> Members = XDocument.Load(Path.ChangeExtension(Language.Location, ".xml"))
        .Descendants("member").ToDictionary(m => m.Attribute("name")!.Value);

    private static readonly Type[] Methods = [.. Language.GetTypes().Where(t => t.GetCustomAttribute<MethodAttribute>() is not null).OrderBy(t => t.Name, StringComparer.Ordinal)];

    public static TheoryData<string> MethodNames => [.. Methods.Select(m => m.Name)];

    private static IEnumerable<PropertyInfo> SlotsOf(Type method) => method.GetProperties().Where(p => p.GetCustomAttribute<SlotAttribute>() is not null).OrderBy(p => p.Name, StringComparer.Ordinal);

    [Fact]
    public void Every_public_member_is_documented()
    {
        const BindingFlags declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var types = Language.GetExportedTypes();
        Assert.NotEmpty(types);
        var missing = types.Where(t => TextOf(t).Length == 0).Select(t => t.Name)
            .Concat(types.SelectMany(t => t.GetProperties(declared).Where(p => p.Name != "EqualityContract" && TextOf(p).Length == 0 && !IsPositional(p) && !IsOfTheFramework(p)).Select(p => $"{t.Name}.{p.Name}")))
            .Concat(types.SelectMany(t => t.GetFields(declared).Where(f => !f.IsSpecialName && TextOf("F:" + NameOf(t) + "." + f.Name).Length == 0).Select(f => $"{t.Name}.{f.Name}")));
        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(MethodNames))]
    public void A_method_shows_its_formula_and_where_it_is_from(string name)
    {
        var text = TextOf(Methods.Single(m => m.Name == name));
        Assert.True(Source().IsMatch(text), $"{name} names no paper or other source: {text}");
        Assert.True(text.Contains("out = ", StringComparison.Ordinal) || typeof(CompositeRecipe).IsAssignableFrom(Methods.Single(m => m.Name == name)), $"{name} has no formula: {text}");
    }

    [Theory]
    [MemberData(nameof(MethodNames))]
    public void A_slot_shows_its_range_and_its_true_default(string name)
    {
        var method = Methods.Single(m => m.Name == name);
        var resolved = ((Recipe)Activator.CreateInstance(method)!).Resolve();
        var problems = new List<string>();
        foreach (var slot in SlotsOf(method))
        {
            var text = TextOf(slot);
            var attribute = slot.GetCustomAttribute<SlotAttribute>()!;
            foreach (var bound in new[] { attribute.Min, attribute.Max }.Where(double.IsFinite))
            {
                if (!Spellings(bound).Any(s => Says(text, s)))
                    problems.Add($"{slot.Name} does not name its bound {bound}: {text}");
            }

            var value = slot.GetValue(resolved);
            var whole = text + " " + TextOf(method);
            if (value is null or System.Collections.IEnumerable and not string ? !Absent().IsMatch(text) : !Spellings(value).Any(s => Says(whole, s)))
                problems.Add($"{slot.Name} does not name its default {value ?? "(none)"}: {text}");
        }

        Assert.True(problems.Count == 0, string.Join("\n", problems));
    }

    [Fact]
    public void Slots_of_other_types_show_their_ranges()
    {
        var slots = Language.GetExportedTypes().Where(t => !typeof(Recipe).IsAssignableFrom(t)).SelectMany(SlotsOf).ToArray();
        Assert.NotEmpty(slots);
        Assert.All(slots, slot =>
        {
            var attribute = slot.GetCustomAttribute<SlotAttribute>()!;
            Assert.All(new[] { attribute.Min, attribute.Max }.Where(double.IsFinite), bound => Assert.True(Spellings(bound).Any(s => Says(TextOf(slot), s)), $"{slot.DeclaringType!.Name}.{slot.Name} does not name its bound {bound}: {TextOf(slot)}"));
        });
    }

    private static bool Says(string text, string value) => Regex.IsMatch(text, $@"(?<![\w.,]){Regex.Escape(value)}(?![\w]|[.,]\d)", RegexOptions.IgnoreCase);

    private static IEnumerable<string> Spellings(object value) => value switch
    {
        Scalar scalar => Spellings(double.Parse(scalar.ToString()!, CultureInfo.InvariantCulture)),
        double number =>
        [
            number.ToString("R", CultureInfo.InvariantCulture),
            number.ToString("#,0.##########", CultureInfo.InvariantCulture),
            number.ToString("0e-0", CultureInfo.InvariantCulture),
            number == 9007199254740991 ? "2^53 - 1" : "",
        ],
        _ => [value.ToString()!],
    };

    private static bool IsOfTheFramework(PropertyInfo property) =>
        property.DeclaringType!.GetInterfaces().Any(i => i.Assembly != Language && i.GetProperty(property.Name) is not null);

    private static bool IsPositional(PropertyInfo property) =>
        Members.TryGetValue("T:" + NameOf(property.DeclaringType!), out var type) && type.Elements("param").Any(p => p.Attribute("name")!.Value == property.Name);

    private static string TextOf(Type type) => TextOf("T:" + NameOf(type));

    /// <summary>A property's own text, or that of the base class or the interface that it is inherited from.</summary>
    private static string TextOf(PropertyInfo property)
    {
        var declaring = property.DeclaringType!;
        return new[] { declaring }.Concat(Bases(declaring)).Concat(declaring.GetInterfaces())
            .Select(t => TextOf($"P:{NameOf(t)}.{property.Name}")).FirstOrDefault(t => t.Length > 0) ?? "";
    }

    private static IEnumerable<Type> Bases(Type type) => type.BaseType is { } b ? Bases(b).Prepend(b) : [];

    private static string NameOf(Type type) => (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName!.Replace('+', '.');

    /// <summary>The text of a member, references as the last part of their names; empty where it has none of its own.</summary>
    private static string TextOf(string member)
    {
        if (!Members.TryGetValue(member, out var element))
            return "";
        foreach (var reference in element.Descendants().Where(e => e.Attribute("cref") is not null && e.Name != "inheritdoc"))
            reference.Value = reference.Attribute("cref")!.Value.Split('.')[^1];
        return Blanks().Replace(string.Concat(element.Elements().Where(e => e.Name.LocalName is "summary" or "remarks").Select(e => e.Value + " ")), " ").Trim();
    }

    [GeneratedRegex(@"\b(19|20)\d\d\b|mergekit|sd-mecha")]
    private static partial Regex Source();

    [GeneratedRegex(@"null|none|at least one|unless given|must be given|needs it|alone", RegexOptions.IgnoreCase)]
    private static partial Regex Absent();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
