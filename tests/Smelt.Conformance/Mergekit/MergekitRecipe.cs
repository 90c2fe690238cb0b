using Smelt.Recipes;
using YamlDotNet.RepresentationModel;
using static Smelt.Recipes.Syntax;

namespace Smelt.Conformance.Mergekit;

/// <summary>Turns a case of mergekit into a recipe: gradients and filters become one rule for each tensor that differs.</summary>
internal sealed class MergekitRecipe
{
    private readonly GoldenCase _case;
    private readonly MergekitConfig _config;
    private readonly Dictionary<string, StoredTensor>[] _inputs;
    private readonly string[] _tensors;
    private readonly LayerPosition _layers;

    private MergekitRecipe(GoldenCase golden)
    {
        _case = golden;
        _config = new MergekitConfig(Path.Combine(golden.Folder, "case.yml"));
        _inputs = [.. Paths().Distinct().Select(p => SafetensorsFile.ReadAll(golden.Resolve(p)))];
        _tensors = [.. _inputs[0].Where(t => t.Value.IsFloat).Select(t => t.Key)];
        _layers = new LayerPosition(_inputs[0].Keys);
    }

    private bool IsPyTorch => _case.Program == "mergekit-pytorch";

    /// <summary>The recipe of a case.</summary>
    public static Recipe Of(GoldenCase golden) => new MergekitRecipe(golden).Build();

    /// <summary>What a case asks for beyond a merge of whole models by name, in words that the list of skips knows.</summary>
    public static IEnumerable<string> Features(GoldenCase golden)
    {
        if (golden.OwnFile("case.yml") is not { } file)
            return [];
        var features = new MergekitConfig(file).Features.ToList();
        var command = golden.Text("command").Split(' ');
        features.AddRange(command.Where(word => word is "--tensor-union" or "--tensor-intersection" or "--unsafe-truncate-embeddings"));
        if (features.Count == 0 && golden.Program is ("mergekit-yaml" or "mergekit-pytorch"))
            features.AddRange(new MergekitRecipe(golden).InputFeatures());
        return features;
    }

    /// <summary>What shows in the inputs only: a layout that mergekit changes, formats that it promotes.</summary>
    private IEnumerable<string> InputFeatures()
    {
        var expected = SafetensorsFile.ReadAll(Path.Combine(_case.Folder, "expected")).Keys;
        if (expected.Any(name => !_inputs.All(i => i.ContainsKey(name))) && _inputs.Any(i => i.Keys.Any(k => k.Contains(".experts.", StringComparison.Ordinal))))
            yield return "fused-experts";
        if ((_config.OutDtype ?? _config.Dtype) is null && StoredFormats().Length > 1)
            yield return "promoted-dtype";
        if ((_config.OutDtype ?? _config.Dtype)?.EndsWith("float64", StringComparison.Ordinal) == true)
            yield return "float64-output";
    }

    private string[] StoredFormats() => [.. _inputs.SelectMany(i => i.Values).Where(t => t.IsFloat).Select(t => t.Dtype).Distinct()];

    /// <summary>All inputs, the base first where there is one.</summary>
    private IEnumerable<string> Paths() => _config.Models.Select(m => m.Path).Prepend(_config.BaseModel).OfType<string>();

    public Recipe Build()
    {
        if (_config.Method == "linear")
            return BuildAverage();
        if (OfOwnKind() is { } special)
            return special with { Dtype = special is ArceeFusion ? DType.F32 : OutputType() };

        var inputs = _config.Models.Where(m => m.Path != _config.BaseModel).ToArray();
        var trims = _config.Method is not "task_arithmetic";
        TaskVectorRecipe recipe = _config.Method switch
        {
            "task_arithmetic" => new TaskArithmetic(),
            "ties" => new Ties { Profile = Profile.Mergekit, Rescale = Switch("rescale") is true ? Rescale.L1 : Rescale.None },
            "dare_ties" => Dare(),
            "dare_linear" => Dare() with { Election = Election.None },
            var other => throw new NotSupportedException($"{_case}: no recipe for the method '{other}', and no reason why it is skipped"),
        };
        var (lambda, rules) = Spread(t => Setting.Number(Parameter(null, "lambda"), t, Position(t)) ?? 1, (rule, value) => rule with { Lambda = value });
        return recipe with
        {
            Base = Folder(_case.Resolve(_config.BaseModel!)),
            Experts = Sequence.From(inputs.Select(input => Expert(input, trims))),
            Tensors = Sequence.From<TensorRule>(rules),
            Lambda = lambda,
            Normalize = Switch("normalize"),
            Dtype = OutputType(),
        };
    }

    /// <summary>The methods that neither average nor trim task vectors; null for those that do.</summary>
    private Recipe? OfOwnKind()
    {
        var others = _config.Models.Where(m => m.Path != _config.BaseModel).ToArray();
        var t = Global("t", (rule, value) => rule with { T = value });
        var alpha = Global("alpha", (rule, value) => rule with { Alpha = value });
        var select = Global("select_topk", (rule, value) => rule with { SelectTopK = value });
        var scale = _config.Method == "passthrough" && _config.Models[0].Parameters is not null
            ? Named(tensor => Find(_config.Models[0], "scale", tensor) ?? 1, (rule, value) => rule with { Scale = value })
            : (null, []);
        return _config.Method switch
        {
            "slerp" => new Slerp { Base = Base(), Experts = Plain(others), T = t.Value, Tensors = t.Rules },
            "nuslerp" => new NuSlerp { Base = Base(), Experts = Weighted(others), Flatten = Switch("nuslerp_flatten"), ColumnWise = Switch("nuslerp_row_wise") },
            "multislerp" => new MultiSlerp { Base = Base(), Experts = Weighted(others), NormalizeWeights = Switch("normalize_weights"), Epsilon = Value("eps") },
            "karcher" => new Karcher { Base = Base(), Experts = Plain(WithBase()), MaxIterations = Value("max_iter"), Tolerance = Value("tol") },
            "model_stock" => new ModelStock { Base = Base(), Experts = Plain(others), FilterWise = Switch("filter_wise") },
            "nearswap" => new NearSwap { Base = Base(), Experts = Plain(others), T = t.Value, Tensors = t.Rules },
            "arcee_fusion" => new ArceeFusion { Base = Base(), Experts = Plain(others) },
            "sce" => new Sce { Base = Base(), Experts = Plain(others), SelectTopK = select.Value, Tensors = select.Rules, SmallestEnergy = 1e-6 },
            "ram" => new Ram { Base = Base(), Experts = Plain(others), Epsilon = Value("epsilon") },
            "ramplus_tl" => new RamPlus { Base = Base(), Experts = Plain(others), R = Value("r"), Alpha = alpha.Value, Tensors = alpha.Rules, Epsilon = Value("epsilon") },
            "passthrough" => new Passthrough { Base = Base(), Experts = Plain(_config.Models), Scale = scale.Value, Tensors = scale.Rules },
            _ => null,
        };
    }

    /// <summary>A parameter of the whole merge: the value that most tensors have, and rules for the others.</summary>
    private (Scalar? Value, Sequence<TensorRule> Rules) Global(string parameter, Func<TensorOverride, double, TensorOverride> set)
    {
        return Parameter(null, parameter) is { } setting
            ? Named(t => Setting.Number(setting, t, Position(t)) ?? throw new InvalidDataException($"{_case}: no {parameter} for {t}"), set)
            : (null, []);
    }

    private (Scalar? Value, Sequence<TensorRule> Rules) Named(Func<string, double> value, Func<TensorOverride, double, TensorOverride> set)
    {
        var (common, rules) = Spread(value, set);
        return (common, Sequence.From<TensorRule>(rules));
    }

    private Model? Base() => _config.BaseModel is { } path ? Folder(_case.Resolve(path)) : null;

    private Sequence<Expert> Plain(IEnumerable<MergekitInput> inputs) => Sequence.From(inputs.Select(i => new Expert(Folder(_case.Resolve(i.Path)))));

    private Sequence<Expert> Weighted(IEnumerable<MergekitInput> inputs) => Sequence.From(inputs.Select(i => Expert(i, trims: false)));

    /// <summary>The inputs where the base is one like any other; one that is not listed comes last.</summary>
    private List<MergekitInput> WithBase()
    {
        var inputs = _config.Models.ToList();
        if (_config.BaseModel is { } path && inputs.All(m => m.Path != path))
            inputs.Add(new MergekitInput(path, null));
        return inputs;
    }

    /// <summary>A number of the whole merge; null where it is not given.</summary>
    private Scalar? Value(string parameter)
    {
        var values = _tensors.Select(t => Setting.Number(Parameter(null, parameter), t, Position(t))).Distinct().ToArray();
        return values.Length == 1 ? values[0] is { } value ? (Scalar)value : null : throw new NotSupportedException($"{_case}: '{parameter}' differs between tensors");
    }

    private DareTies Dare() => new()
    {
        Profile = Profile.Mergekit,
        Rescale = Switch("rescale") is false ? Rescale.None : Rescale.L1,
        MaskFile = _case.Json["masks"]?.GetValue<string>() is { } masks ? _case.OwnFile(masks) : null,
    };

    /// <summary>An average, in which a base is an input like any other; one that is not listed comes last.</summary>
    private Average BuildAverage() =>
        new()
        {
            Base = Base(),
            Experts = Weighted(WithBase()),
            Normalize = Switch("normalize"),
            Dtype = OutputType(),
        };

    private Expert Expert(MergekitInput input, bool trims)
    {
        var (weight, weights) = Spread(t => Find(input, "weight", t) ?? throw new InvalidDataException($"{_case}: {input.Path} has no weight for {t}"), (rule, value) => rule with { Weight = value });
        var expert = new Expert(Folder(_case.Resolve(input.Path))) { Weight = weight, Tensors = Sequence.From<TensorRule>(weights) };
        if (!trims)
            return expert;

        // mergekit takes 1 and more as all, 0 and less as nothing.
        var (density, densities) = Spread(t => Math.Clamp(Find(input, "density", t) ?? 1, 0, 1), (rule, value) => rule with { Density = value });
        return expert with { Density = density, Tensors = Join(weights, densities) };
    }

    /// <summary>Rules that set a weight and rules that set a density, with one rule for each tensor.</summary>
    private static Sequence<TensorRule> Join(TensorOverride[] weights, TensorOverride[] densities)
    {
        var byName = densities.ToDictionary(d => d.Match);
        var joined = weights.Select(w => byName.Remove(w.Match, out var d) ? w with { Density = d.Density } : w).ToArray();
        return Sequence.From<TensorRule>(joined.Concat(densities.Where(d => byName.ContainsKey(d.Match))));
    }

    /// <summary>A parameter's value in each tensor: one value that most have, and rules for the others.</summary>
    private (double Value, TensorOverride[] Rules) Spread(Func<string, double> value, Func<TensorOverride, double, TensorOverride> set)
    {
        var values = _tensors.ToDictionary(t => t, value);
        var common = values.Values.GroupBy(v => v).MaxBy(g => g.Count())!.Key;
        return (common, [.. values.Where(v => v.Value != common).Select(v => set(On(v.Key), v.Value))]);
    }

    private double? Find(MergekitInput input, string parameter, string tensor) =>
        Setting.Number(Parameter(input, parameter), tensor, Position(tensor)) ?? Setting.Number(Parameter(null, parameter), tensor, Position(tensor));

    private YamlNode? Parameter(MergekitInput? input, string name) => MergekitConfig.Get(input is null ? _config.Parameters : input.Parameters, name);

    /// <summary>Flat state dicts have no layers: all tensors stand at 0.</summary>
    private double Position(string tensor) => IsPyTorch ? 0 : _layers.Of(tensor);

    /// <summary>A yes or no of the whole merge; null where it is not given.</summary>
    private bool? Switch(string parameter)
    {
        var values = _tensors.Select(t => Setting.Flag(Parameter(null, parameter), t, Position(t))).Distinct().ToArray();
        return values.Length == 1 ? values[0] : throw new NotSupportedException($"{_case}: '{parameter}' differs between tensors");
    }

    /// <summary>The output's format: as given, else what all inputs store, else fp32, which holds either 16-bit format.</summary>
    private DType? OutputType()
    {
        if ((_config.OutDtype ?? _config.Dtype) is { } given)
        {
            return given.Replace("torch.", "", StringComparison.Ordinal) switch
            {
                "bfloat16" => DType.BF16,
                "float16" => DType.F16,
                "float32" => DType.F32,
                var other => throw new NotSupportedException($"{_case}: no output of type {other}"),
            };
        }

        return StoredFormats().Length == 1 ? null : DType.F32;
    }
}
