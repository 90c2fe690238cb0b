using Smelt.Mergekit.Documents;
using Smelt.Mergekit.Importing;
using Smelt.Mergekit.Methods;
using Smelt.Recipes;

namespace Smelt.Mergekit.Tests;

/// <summary>Makes random documents: right ones of all methods and forms, and, for the reader and the writer, everything that can be written.</summary>
internal sealed class DocumentMaker(int seed)
{
    private static readonly string[] Filters = ["self_attn", "mlp", ".down_proj.", "norm", "embed_tokens", "0"];
    private static readonly string[] Modules = ["encoder", "decoder", "shared", "text_decoder", "vision_tower"];
    private static readonly string[] Texts = ["plain", "with space", "yes", "1e-4", "0.5", "a: b", "# no", "\"quoted\"", "line\nbreak", "ü \U0001F600", "", "-", "<|im_start|>", "null", "~", "{x}", "2024-01-01"];

    private readonly Random _random = new(seed);

    /// <summary>A file of one document or of several stages, which a recipe can be made of.</summary>
    public MergekitDocument[] RightFile()
    {
        string[] names = ["first", "second", "third"];
        var stages = _random.Next(4) == 0 ? _random.Next(1, 4) : 0;
        var documents = new List<MergekitDocument>();
        for (var i = 0; i <= stages; i++)
        {
            var document = Merge(i == 0 ? [] : names[(i - 1)..i]);
            documents.Add(i < stages ? document with { Name = new Located<string>(names[i]) } : document);
        }

        return [.. documents];
    }

    /// <summary>A document of anything that has a form in YAML.</summary>
    public MergekitDocument Anything() => _random.Next(3) switch
    {
        0 => Mixture(),
        1 => Merge([]) with
        {
            Name = Maybe(() => new Located<string>(Text())),
            TokenizerSource = Pick(null, new TokenizerSource("union", null), new TokenizerSource(null, Reference())),
            ChatTemplate = Maybe(() => new Located<string>(Text() + "{{ messages }}")),
        },
        _ => Merge([]) with
        {
            Tokenizer = new TokenizerSettings(Pick(null, new TokenizerSource("base", null)), Some(0, 3, i => new TokenSetting(Text() + i, Maybe(Embedding), _random.Next(2) == 0)), Pick<int?>(null, 8)),
            BaseModel = Reference(),
            Body = new MergeBody(Some(1, 3, _ => new MergeInput(Reference(), [new Parameter(Text() + "x", [new Condition(null, [Pick<Literal>("text", 1e-12, true)], false, default)], default)])), null),
            Modules = null,
        },
    };

    private MergeDocument Merge(string[] stages)
    {
        var method = MethodTable.Methods[_random.Next(MethodTable.Methods.Count)];
        var models = Models(stages, 5);
        var baseModel = method.Base == BaseRole.Required || _random.Next(2) == 0 ? models[0] : null;
        var document = new MergeDocument(new Located<string>(method.Name))
        {
            BaseModel = baseModel,
            Parameters = Parameters(method, method.Parameters.Where(p => !p.PerInput || p.Required)),
            Dtype = Maybe(() => new Located<string>(Pick("float32", "bfloat16", "torch.float16", "float64"))),
            OutDtype = Maybe(() => new Located<string>(Pick("float32", "bfloat16"))),
            ChatTemplate = Maybe(() => new Located<string>(Pick("auto", "chatml", "mistral", "{% for m in messages %}\n{{ m[\"role\"] }}{% endfor %}"))),
        };
        return _random.Next(stages.Length > 0 ? 1 : 4) switch
        {
            1 => document with { Body = Slices(method, baseModel, models) },
            2 => document with
            {
                Modules = Sequence.From(Modules.OrderBy(_ => _random.Next()).Take(_random.Next(1, 4)).OrderBy(m => ModuleNames.ToGlob(m) == Importing.Filters.AllTensors)
                    .Select(m => new MergeModule(m, _random.Next(3) == 0 ? Slices(method, baseModel, models) : Whole(method, baseModel, models), OwnParameters(method, shared: true)))),
            },
            _ => document with { Body = Whole(method, baseModel, models) },
        };
    }

    private MergeBody Whole(MethodMap method, ModelReference? baseModel, ModelReference[] models) =>
        new(Sequence.From(Chosen(method, baseModel, models, slice: false).Select(m => new MergeInput(m, IsPlainBase(method, m, baseModel) ? [] : OwnParameters(method, shared: false)))), null);

    private MergeBody Slices(MethodMap method, ModelReference? baseModel, ModelReference[] models) => new(null, Some(1, 4, _ =>
    {
        var own = method.Base == BaseRole.Required && _random.Next(4) == 0 ? models[1] : null;
        var length = _random.Next(1, 5);
        var same = _random.Next(2) == 0;
        var start = _random.Next(6);
        var sources = Chosen(method, own ?? baseModel, models, slice: true).Select(m =>
        {
            var first = same ? start : _random.Next(6);
            return new SliceSource(m, first, first + length, IsPlainBase(method, m, own ?? baseModel) ? [] : OwnParameters(method, shared: false));
        });
        return new MergeSlice(Sequence.From(sources)) { BaseModel = own, Parameters = OwnParameters(method, shared: true) };
    }));

    /// <summary>As many models as the method takes; the base is one of them where it has to be, else sometimes.</summary>
    private List<ModelReference> Chosen(MethodMap method, ModelReference? baseModel, ModelReference[] models, bool slice)
    {
        var recipe = method.Create();
        var others = models.Where(m => m != baseModel).ToArray();
        var isInput = method.Base == BaseRole.Input && baseModel is not null;
        if (isInput && recipe.MostExperts == 1)
            return slice ? [others[0]] : [baseModel!];
        var chosen = others.Take(_random.Next(recipe.FewestExperts, Math.Min(others.Length, recipe.MostExperts) + 1)).ToList();
        if (baseModel is not null && ((slice && method.Base == BaseRole.Required) || _random.Next(2) == 0))
            chosen.Insert(_random.Next(chosen.Count + 1), baseModel);
        return chosen;
    }

    private static bool IsPlainBase(MethodMap method, ModelReference model, ModelReference? baseModel) => method.Base != BaseRole.Input && model == baseModel;

    private Sequence<Parameter> OwnParameters(MethodMap method, bool shared) =>
        Parameters(method, method.Parameters.Where(p => p.Kind != ParameterKind.Ignored && p.PerInput != shared && _random.Next(2) == 0));

    private Sequence<Parameter> Parameters(MethodMap method, IEnumerable<ParameterMap> maps) => Sequence.From(maps
        .Where(p => p.Required || _random.Next(2) == 0)
        .Select(p => new Parameter(p.Name, Conditions(p, method), default)));

    private Sequence<Condition> Conditions(ParameterMap parameter, MethodMap method)
    {
        if (parameter.Kind is ParameterKind.Flag or ParameterKind.RescaleFlag or ParameterKind.Ignored)
            return [new Condition(null, [_random.Next(2) == 0], false, default)];
        if (parameter.OfRule is null)
            return [new Condition(null, [parameter.Kind == ParameterKind.Whole ? _random.Next(50) : Number(parameter, method)], false, default)];
        var filters = _random.Next(3) == 0 ? Filters.OrderBy(_ => _random.Next()).Take(_random.Next(1, 3)).ToArray() : [];
        return Sequence.From(filters.Append(null).Select(f => _random.Next(3) == 0
            ? new Condition(f, Some(2, 5, _ => (Literal)Number(parameter, method)), true, default)
            : new Condition(f, [Number(parameter, method)], false, default)));
    }

    /// <summary>A number in the range of a parameter; weights are positive, so that they never cancel.</summary>
    private double Number(ParameterMap parameter, MethodMap method)
    {
        // DELLA's probabilities, density - epsilon and density + epsilon, lie between 0 and 1.
        if (parameter.Name is "density" or "epsilon" && method.Name.StartsWith("della", StringComparison.Ordinal))
            return Math.Round(parameter.Name == "density" ? 0.4 + (0.2 * _random.NextDouble()) : 0.05 + (0.25 * _random.NextDouble()), 3);
        var slot = parameter.OfExpert ?? parameter.OfRecipe(method.Create().GetType())!;
        var low = Math.Max(slot.Attribute.Min, parameter.Name == "weight" ? 0.01 : -2);
        return Math.Round(low + (_random.NextDouble() * (Math.Min(slot.Attribute.Max, 3) - low)), _random.Next(1, 7)) is var number && number > 0 ? number : low + 0.5;
    }

    private MixtureDocument Mixture() => new(Reference(), Some(1, 4, _ => new MixtureExpert(Reference())
    {
        PositivePrompts = Some(0, 3, _ => Text()),
        NegativePrompts = Some(0, 2, _ => Text()),
        NoiseScale = Pick<double?>(null, 0.25),
        ResidualScale = Pick<double?>(null, 1e-7),
    }))
    {
        GateMode = Maybe(() => new Located<string>("cheap_embed")),
        Dtype = Maybe(() => new Located<string>("bfloat16")),
        ExpertsPerToken = Maybe(() => new Located<int>(1)),
        SharedExperts = Some(0, 2, _ => new MixtureExpert(Reference())),
    };

    private TokenEmbedding Embedding() => _random.Next(3) switch
    {
        0 => new ZeroEmbedding(),
        1 => new ModelEmbedding(Reference()),
        _ => _random.Next(2) == 0 ? new OtherTokenEmbedding(Reference(), Text(), null) : new OtherTokenEmbedding(Reference(), null, 7),
    };

    private ModelReference Reference() => _random.Next(4) switch
    {
        0 => new ModelReference(new ModelPath("a+b/c@d"), Maybe(() => new ModelPath("lora", "v2")), Maybe(() => "LlamaForCausalLM")),
        1 => new ModelReference(new ModelPath("org/name", "v1"), new ModelPath("./adapter")),
        2 => new ModelReference(new ModelPath("C:/models/x y")),
        _ => new ModelReference(new ModelPath("123")),
    };

    private ModelReference[] Models(string[] stages, int count)
    {
        ModelReference[] all = [.. stages.Select(s => new ModelReference(new ModelPath(s))), new(new("./models/a")), new(new("../b.x/c")), new(new("org/d")), new(new("org/e", "v1.0")), new(new("f")), new(new("/g/h i"))];
        return [.. all.Take(stages.Length).Concat(all.Skip(stages.Length).OrderBy(_ => _random.Next())).Take(count)];
    }

    private string Text() => Texts[_random.Next(Texts.Length)];

    private T Pick<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    private T? Maybe<T>(Func<T> make)
        where T : class => _random.Next(2) == 0 ? make() : null;

    private Sequence<T> Some<T>(int least, int most, Func<int, T> make) => Sequence.From(Enumerable.Range(0, _random.Next(least, most)).Select(make).ToArray());
}
