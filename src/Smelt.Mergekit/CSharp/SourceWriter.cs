using System.Globalization;
using System.Text;
using Smelt.Recipes;

namespace Smelt.Mergekit.CSharp;

/// <summary>Writes a recipe as the C# expression that makes it, by its slots.</summary>
/// <param name="stages">The recipes that can be named as stages, with the members that hold them.</param>
internal sealed class SourceWriter(IReadOnlyList<(string Name, Recipe Recipe, string Member)> stages)
{
    /// <summary>The longest initializer that stands in one line.</summary>
    private const int LineLength = 100;

    private const int IndentWidth = 4;

    /// <summary>The expression of a recipe.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="depth">The depth of its indentation.</param>
    public string Write(Recipe recipe, int depth)
    {
        if (recipe is Passthrough { Layers: { } layers, Experts: [var only] } && recipe == Syntax.From(only.Model, layers))
            return $"From({Value(only.Model, depth)}, {Value(layers, depth)})";
        var assignments = Assignments(recipe, depth + 1);
        return recipe is Stack { Slices: var slices } && assignments.Count == 1
            ? $"Stack({Lines(slices.Select(s => Write(s, depth + 1)), depth)})"
            : $"new {recipe.GetType().Name}{Block(assignments, depth)}";
    }

    /// <summary>A text in quotes.</summary>
    public static string Text(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
            quoted.Append(c is '"' or '\\' ? "\\" + c : c == '\n' ? "\\n" : char.IsControl(c) || c is '\u2028' or '\u2029' ? $"\\u{(int)c:x4}" : c.ToString());
        return quoted.Append('"').ToString();
    }

    private List<string> Assignments(object owner, int depth) =>
        [.. Slots.Of(owner).OrderBy(s => s.Property != nameof(TrimmedRecipe.Profile))
            .Where(s => s.Get(owner) is { } value and not IReadOnlyCollection<object> { Count: 0 })
            .Select(s => Assignment(s.Property, Value(s.Get(owner)!, depth)))];

    private static string Assignment(string slot, string value) => $"{slot} ={(value[0] == '\n' ? "" : " ")}{value}";

    private string Value(object value, int depth) => value switch
    {
        Scalar { Axis: { } axis } zip => $"Zip({Text(axis)}, {Numbers(zip)})",
        Scalar { IsSweep: true } sweep => $"Sweep({Numbers(sweep)})",
        Scalar { IsGradient: true } gradient => $"Gradient({Numbers(gradient)})",
        Scalar scalar => Number(scalar.Value),
        LayerRange layers => layers.ToString(),
        ByteSize size => size.Bytes.ToString(CultureInfo.InvariantCulture),
        ChatTemplate template => Template(template),
        bool flag => flag ? "true" : "false",
        string text => Text(text),
        Enum member => $"{member.GetType().Name}.{member}",
        FolderModel folder => $"Folder({Text(folder.Path)})",
        HubModel hub => hub.Revision == "main" ? $"Hub({Text(hub.Id)})" : $"Hub({Text(hub.Id)}, {Text(hub.Revision)})",
        StageModel stage => Stage(stage, depth),
        Recipe recipe => Write(recipe, depth),
        Part part => $"Part({Text(part.Match)}, {Write(part.Merge, depth)})",
        KeepRule keep => $"Keep({string.Join(", ", keep.Globs.Select(Text))})",
        TensorOverride rule => $"On({Text(rule.Match)}) with {{ {string.Join(", ", Assignments(rule, depth))} }}",
        Expert expert => Assignments(expert, depth + 1) is { Count: > 0 } values ? $"new({Value(expert.Model, depth)}){Block(values, depth)}" : Value(expert.Model, depth),
        IEnumerable<object> list => List(list.Select(item => Value(item, depth + 1)), depth),
        _ => throw new ArgumentException($"{value.GetType()} is no value of a recipe.", nameof(value)),
    };

    private static string Template(ChatTemplate template)
    {
        var known = typeof(ChatTemplate).GetProperties().FirstOrDefault(p => p.PropertyType == typeof(ChatTemplate) && template.Equals(p.GetValue(null)));
        return known is null ? Text(template.Text) : $"{nameof(ChatTemplate)}.{known.Name}";
    }

    private string Stage(StageModel stage, int depth)
    {
        var recipe = stages.FirstOrDefault(s => s.Name == stage.Name && s.Recipe == stage.Recipe).Member ?? Write(stage.Recipe, depth);
        return stage.Name is null ? $"From({recipe})" : $"From({recipe}, {Text(stage.Name)})";
    }

    /// <summary>An initializer: in one line where it is short.</summary>
    private static string Block(List<string> assignments, int depth)
    {
        var line = $" {{ {string.Join(", ", assignments)} }}";
        return depth > 1 && line.Length <= LineLength && !line.Contains('\n', StringComparison.Ordinal)
            ? line
            : $"\n{Indent(depth)}{{\n{string.Concat(assignments.Select(a => $"{Indent(depth + 1)}{a},\n"))}{Indent(depth)}}}";
    }

    private static string List(IEnumerable<string> items, int depth) =>
        $"\n{Indent(depth)}[\n{string.Concat(items.Select(i => $"{Indent(depth + 1)}{i},\n"))}{Indent(depth)}]";

    private static string Lines(IEnumerable<string> items, int depth) => string.Join(",", items.Select(i => $"\n{Indent(depth + 1)}{i}"));

    private static string Indent(int depth) => new(' ', depth * IndentWidth);

    private static string Numbers(Scalar scalar) => string.Join(", ", scalar.Values.Select(Number));

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
