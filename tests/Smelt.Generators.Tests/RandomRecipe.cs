using System.Globalization;
using CsCheck;
using Microsoft.CodeAnalysis.CSharp;
using Smelt.Recipes;

namespace Smelt.Generators.Tests;

/// <summary>Random recipes, each as an object and as the C# expression that spells it.</summary>
/// <param name="sound">Whether values keep the rules (nearly always), or are of any kind.</param>
internal sealed class RandomRecipe(bool sound)
{
    private Gen<(string Source, double Value)> Number => sound
        ? Gen.OneOf(Gen.Int[1, 100].Select(i => ($"{i} / 100.0", i / 100.0)), Gen.Double[0.001, 1].Select(Spell), Gen.Const(("1", 1.0)))
        : Gen.OneOf(
            Gen.Int[-3, 3].Select(i => (i.ToString(CultureInfo.InvariantCulture), (double)i)),
            Gen.Double.Where(double.IsFinite).Select(Spell),
            Gen.Float.Where(float.IsFinite).Select(f => (f.ToString("R", CultureInfo.InvariantCulture) + "f", (double)f)),
            Gen.Const(("double.NaN", double.NaN)));

    private Gen<(string Source, Scalar? Value)> Given => Gen.Frequency(
        (6, Number.Select(n => (n.Source, (Scalar?)n.Value))),
        (1, Points.Select(p => ($"Sweep({Join(p.Select(n => n.Source))})", (Scalar?)Syntax.Sweep([.. p.Select(n => n.Value)])))),
        (1, Tied),
        (1, Points.Select(p => ($"Sweep([{Join(p.Select(n => n.Source))}])", (Scalar?)Syntax.Sweep([.. p.Select(n => n.Value)])))));

    /// <summary>A number on a shared axis; of sound recipes all that are on one have as many values.</summary>
    private Gen<(string Source, Scalar? Value)> Tied => Gen.Int[0, sound ? 1 : 3].Select(i => new[] { "one", "two", "", "no name" }[i])
        .Select(sound ? Number.Array[2].Where(n => n[0].Value != n[1].Value) : Number.Array[0, 3], (axis, points) => (
            $"Zip({Literal(axis)}, {Join(points.Select(n => n.Source))})".Replace(", )", ")", StringComparison.Ordinal),
            (Scalar?)Syntax.Zip(axis, [.. points.Select(n => n.Value)])));

    /// <summary>As <see cref="Scalar"/>, and gradients.</summary>
    private Gen<(string Source, Scalar? Value)> Varying => Gen.Frequency(
        (4, Scalar),
        (1, Number.Array[sound ? 1 : 0, 3].Select(p => ($"Gradient({Join(p.Select(n => n.Source))})", (Scalar?)Syntax.Gradient([.. p.Select(n => n.Value)])))));

    private Gen<(string Source, LayerRange Value)> Layers => Gen.Int[0, 9].Select(Gen.Int[sound ? 1 : -3, 9], (first, count) =>
        count == 9 ? ($"{first}..", new LayerRange(first, null)) : ($"new LayerRange({first}, {first + count})", new LayerRange(first, first + count)));

    private Gen<(string Source, double Value)[]> Points =>
        Number.Array[sound ? 1 : 0, 3].Select(p => sound ? [.. p.DistinctBy(n => n.Value)] : p);

    private Gen<(string Source, Scalar? Value)> Scalar => Gen.Frequency((1, Gen.Const(("null", (Scalar?)null))), (2, Given));

    private Gen<(string Source, string Value)> Text => sound
        ? Gen.OneOf(
            Gen.String[Gen.Char["abcxyz0123"], 5, 9].Select(s => (Literal(s), s)),
            Gen.Int[1000, 9999].Select(i => ($"$\"m{{nameof(Model)}}-{i}\"", $"mModel-{i}")))
        : Gen.OneOf(
            Gen.String[Gen.Char["abcxyz019_-./"], 0, 8].Select(s => (Literal(s), s)),
            Gen.String[Gen.Char["a\"\\\n\t{}\u2028\u00e9\u6f22\u0001"], 1, 5].Select(s => (Literal(s), s)));

    private Gen<(string Source, Model Value)> Model => Gen.OneOf(
        Text.Select(t => ($"Folder(\"\U0001F600\\n\" + {t.Source})", Syntax.Folder("\U0001F600\n" + t.Value))),
        Text.Select(t => ($"new FolderModel(Path: {t.Source})", (Model)new FolderModel(t.Value))),
        Text.Select(t => ($"Hub(\"o/\" + {t.Source})", Syntax.Hub("o/" + t.Value))),
        Text.Select(Text, (id, revision) => ($"Hub(revision: {revision.Source}, id: \"o/\" + {id.Source})", Syntax.Hub("o/" + id.Value, revision.Value))));

    private Gen<(string Source, TensorRule Value)> ExpertRule => Text.Select(Given, Scalar, (on, weight, density) => (
        $"On({on.Source}) with {{ Weight = {weight.Source}, Density = {density.Source} }}",
        (TensorRule)(Syntax.On(on.Value) with { Weight = weight.Value, Density = density.Value })));

    private Gen<(string Source, TensorRule Value)> Rule => Gen.OneOf(
        ExpertRule,
        Text.Array[sound ? 1 : 0, 3].Select(t => ($"Keep({Join(t.Select(g => g.Source))})", Syntax.Keep([.. t.Select(g => g.Value)]))),
        Text.Select(Given, (on, lambda) => ($"On({on.Source}) with {{ Lambda = {lambda.Source} }}", (TensorRule)(Syntax.On(on.Value) with { Lambda = lambda.Value }))));

    private Gen<(string Source, Expert Value)> Expert => Gen.OneOf(
        Model.Select(m => (m.Source, (Expert)m.Value)),
        Model.Select(Varying, Varying, (sound ? ExpertRule : Rule).Array[0, 2], (m, weight, density, rules) => (
            $"new({m.Source}) {{ Weight = {weight.Source}, Density = {density.Source}, Tensors = [{Join(rules.Select(r => r.Source))}] }}",
            new Expert(m.Value) { Weight = weight.Value, Density = density.Value, Tensors = Sequence.From(rules.Select(r => r.Value)) })),
        Model.Select(m => ($"new Expert({m.Source}) with {{ Weight = 2 }}", new Expert(m.Value) with { Weight = 2 })));

    private Gen<(string Source, ByteSize? Value)> Size => Gen.OneOf(
        Gen.Const(("null", (ByteSize?)null)),
        Gen.Const(("\"512MiB\"", (ByteSize?)"512MiB")),
        Gen.Const(sound ? ("\"1.5 GB\"", (ByteSize?)"1.5 GB") : ("\"five\"", (ByteSize?)"five")),
        Gen.Int[sound ? 1 : -1, 1000].Select(i => (i.ToString(CultureInfo.InvariantCulture), (ByteSize?)i)));

    private Gen<(string Source, ChatTemplate? Value)> Template => Gen.OneOf(
        Gen.Const(("null", (ChatTemplate?)null)),
        Gen.Const(("ChatTemplate.ChatML", (ChatTemplate?)ChatTemplate.ChatML)),
        Gen.Const(sound ? ("\"llama3\"", (ChatTemplate?)"llama3") : ("\"lama\"", (ChatTemplate?)"lama")),
        Gen.Const(("\"\"\"{{ \"x\" }}\"\"\"", (ChatTemplate?)"{{ \"x\" }}")));

    private Gen<(string Source, Model? Value)> Base => Gen.Frequency(
        (sound ? 0 : 1, Gen.Const(("null", (Model?)null))), (3, Model.Select(m => (m.Source, (Model?)m.Value))));

    /// <summary>The slots that every method has, as the initialisers of an object and as a function over recipes.</summary>
    private Gen<(string Source, Func<Recipe, Recipe> Set)> Common => Gen.Select(
        Base, Expert.Array[sound ? 1 : 0, 3], Expert.Array[0, 2], Rule.Array[0, 2], Size.Select(Template, (size, template) => (Size: size, Template: template)), Enums<DType>(), Enums<NonFinite>(),
        (b, experts, more, rules, whole, dtype, nonFinite) => (
            $"Base = {b.Source}, Experts = [{Join([.. experts.Select(e => e.Source), $".. new Expert[] {{ {Join(more.Select(e => e.Source))} }}"])}], "
            + $"Tensors = [{Join(rules.Select(r => r.Source))}], MaxShardSize = {whole.Size.Source}, ChatTemplate = {whole.Template.Source}, Dtype = {dtype.Source}, NonFinite = {nonFinite.Source}",
            new Func<Recipe, Recipe>(r => r with
            {
                Base = b.Value,
                Experts = Sequence.From(experts.Concat(more).Select(e => e.Value)),
                Tensors = Sequence.From(rules.Select(t => t.Value)),
                MaxShardSize = whole.Size.Value,
                ChatTemplate = whole.Template.Value,
                Dtype = dtype.Value,
                NonFinite = nonFinite.Value,
            })));

    /// <summary>The recipes, some of them made of others.</summary>
    public Gen<(string Source, Recipe Value)> Recipes => Gen.Frequency(
        (6, Merges),
        (1, Inner(Model.Select(m => ($"new Average {{ Experts = [{m.Source}] }}", (Recipe)new Average { Experts = Sequence.From<Expert>([m.Value]) }))).Select(Text, (m, name) => (
            $"new Passthrough {{ Experts = [From({m.Source}, {name.Source})] }}",
            (Recipe)new Passthrough { Experts = Sequence.From<Expert>([Syntax.From(m.Value, name.Value)]) }))),
        (1, Model.Select(Layers).Array[sound ? 1 : 0, 3].Select(slices => (
            $"Stack({Join(slices.Select(s => $"From({s.Item1.Source}, {s.Item2.Source})"))})",
            Syntax.Stack([.. slices.Select(s => Syntax.From(s.Item1.Value, s.Item2.Value))])))),
        (1, Text.Select(Inner(Merges), Inner(Merges), (match, first, second) => (
            $"new Modules {{ Parts = [Part({match.Source}, {first.Source}), new Part(\"**\", {second.Source})] }}",
            (Recipe)new Modules { Parts = Sequence.From([Syntax.Part(match.Value, first.Value), new Part("**", second.Value)]) }))));

    /// <summary>Recipes that may stand in others: what holds for a whole output is taken off where recipes are to be sound.</summary>
    private Gen<(string Source, Recipe Value)> Inner(Gen<(string Source, Recipe Value)> recipes) => !sound ? Merges : recipes.Select(r => (
        $"({r.Source}) with {{ Dtype = null, MaxShardSize = null, MoeLayout = null, ChatTemplate = null, NonFinite = null }}",
        r.Value with { Dtype = null, MaxShardSize = null, MoeLayout = null, ChatTemplate = null, NonFinite = null }));

    private Gen<(string Source, Recipe Value)> Merges => Gen.OneOf(
        Common.Select(Enums<bool>(), (c, n) => ($"new Average {{ {c.Source}, Normalize = {n.Source} }}", c.Set(new Average { Normalize = n.Value }))),
        Common.Select(Varying, (c, l) => ($"new TaskArithmetic {{ {c.Source}, Lambda = {l.Source} }}", c.Set(new TaskArithmetic { Lambda = l.Value }))),
        Common.Select(Varying, Enums<Profile>(), Enums<ZeroVote>(), Enums<Cut>(), (c, d, p, z, cut) => (
            $"(new Ties {{ {c.Source} }}) with {{ Density = {d.Source}, Profile = {p.Source}, ZeroVote = {z.Source}, Cut = {cut.Source} }}",
            c.Set(new Ties { Density = d.Value, Profile = p.Value, ZeroVote = z.Value, Cut = cut.Value }))),
        Common.Select(Gen.Int[0, 99], Scalar, Enums<Election>(), Enums<Rescale>(), (c, s, t, e, r) => (
            $"new DareTies {{ {c.Source}, Seed = {s}, TrimDensity = {t.Source}, Election = {e.Source}, Rescale = {r.Source} }}",
            c.Set(new DareTies { Seed = s, TrimDensity = t.Value, Election = e.Value, Rescale = r.Value }))),
        Common.Select(Enums<Profile>(), Enums<bool>(), (c, p, n) => (
            $"new DellaLinear {{ {c.Source}, Epsilon = 0, Profile = {p.Source}, Normalize = {n.Source} }}",
            c.Set(new DellaLinear { Epsilon = 0, Profile = p.Value, Normalize = n.Value }))),
        Common.Select(Scalar, Enums<TrimScope>(), (c, g, t) => (
            $"new BreadcrumbsTies {{ {c.Source}, Gamma = {g.Source}, Trim = {t.Source} }}",
            c.Set(new BreadcrumbsTies { Gamma = g.Value, Trim = t.Value }))),
        Common.Select(Gen.Int[0, 99], Scalar, Enums<bool>(), (c, s, d, w) => (
            $"new DareLinear {{ {c.Source}, Seed = {s}, Density = {d.Source}, WriteBack = {w.Source} }}",
            c.Set(new DareLinear { Seed = s, Density = d.Value, WriteBack = w.Value }))));

    /// <summary>A text as C# spells it.</summary>
    public static string Literal(string value) => SymbolDisplay.FormatLiteral(value, quote: true);

    private static Gen<(string Source, T? Value)> Enums<T>()
        where T : struct
    {
        var values = typeof(T) == typeof(bool) ? (T[])(object)new[] { true, false } : [.. System.Enum.GetValues(typeof(T)).Cast<T>()];
        (string, T?)[] choices = [("null", null), .. values.Select(v => (v is bool b ? (b ? "true" : "false") : $"{typeof(T).Name}.{v}", (T?)v))];
        return Gen.Int[0, choices.Length - 1].Select(i => choices[i]);
    }

    private static (string Source, double Value) Spell(double value) => (value.ToString("R", CultureInfo.InvariantCulture) + "d", value);

    private static string Join(IEnumerable<string> parts) => string.Join(", ", parts);
}
