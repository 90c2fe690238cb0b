using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Conformance.Originals;

/// <summary>Turns a case of an original repository into a recipe.</summary>
internal sealed class OriginalsRecipe
{
    private readonly GoldenCase _case;
    private readonly JsonObject _parameters;
    private readonly string _base;
    private readonly string[] _experts;
    private readonly string _scratch;

    private OriginalsRecipe(GoldenCase golden, string scratch)
    {
        _case = golden;
        _scratch = scratch;
        _parameters = golden.Json["parameters"]!.AsObject();
        var inputs = golden.Json["inputs"]!.AsObject();
        _base = golden.Resolve(inputs["base"]!.GetValue<string>());
        _experts = [.. inputs["experts"]!.AsArray().Select(e => golden.Resolve(e!.GetValue<string>()))];
    }

    /// <summary>The recipe of a case.</summary>
    /// <param name="golden">The case.</param>
    /// <param name="scratch">A folder for files that the recipe needs.</param>
    public static Recipe Of(GoldenCase golden, string scratch) => new OriginalsRecipe(golden, scratch).Build();

    /// <summary>The parameters whose values are words, as <c>name:word</c>, and lists that are not empty, as <c>name:list</c>: what the list of skips can name.</summary>
    public static IEnumerable<string> Features(GoldenCase golden) =>
        golden.Json["parameters"]!.AsObject()
            .Where(p => p.Value is JsonArray { Count: > 0 } || (p.Value is JsonValue value && value.TryGetValue<string>(out _)))
            .Select(p => $"{p.Key}:{(p.Value is JsonArray ? "list" : p.Value!.GetValue<string>())}");

    private Recipe Build()
    {
        var recipe = Method();
        if (recipe is Modules modules)
            return modules with { Parts = Sequence.From(modules.Parts.Select(p => p with { Merge = Complete(p.Merge) with { Dtype = null } })), Dtype = DType.F32 };
        return Complete(recipe);
    }

    private Recipe Complete(Recipe recipe)
    {
        if (recipe is Slerp)
            return recipe with { Tensors = Kept() is { Length: > 0 } integers ? [Keep(integers)] : [], Dtype = DType.F32 };
        return recipe with
        {
            Base = Folder(_base),
            Experts = recipe.Experts.Count > 0 ? recipe.Experts : Experts(_ => 1),
            Tensors = Kept() is { Length: > 0 } kept ? [Keep(kept)] : [],
            Dtype = DType.F32,
        };
    }

    private Recipe Method() => (_case.Method, _case.Program) switch
    {
        ("average" or "basic_mean", _) => new Average(),
        ("expo", _) => new ExPO { Alpha = Number("extrapolation_factor") },
        ("fisher", _) => new Fisher { Experts = Fisher(), Normalize = Flag("normalize_fisher_weight"), MinimalWeight = Number("minimal_fisher_weight") },
        ("regmean", _) => new RegMean { Experts = WithStatistics("grams", Plain()), NonDiagonalRatio = Number("reduce_non_diagonal_ratio") },
        ("basic_median", _) => new Median(),
        ("basic_magnitude", _) => new LargestMagnitude(),
        ("weighted_average", _) => new Average { Experts = Experts(List("weights")), Normalize = Flag("normalize") },
        ("linear", _) => new Average { Experts = Experts([1 - Number("t"), Number("t")]), Normalize = false },
        ("slerp", "fusion_bench") => Slerp() with { LinearAbove = Number("dot_threshold") },
        ("slerp", "sd_mecha") => Slerp() with { LinearAbove = 1, InterpolateNorms = true },
        ("model_stock", "fusion_bench") => ModelStock(),
        ("model_stock", "sd_mecha") => new ModelStock { Cosine = StockCosine.Neighbours, FilterWise = true, Experts = Plain() },
        ("consensus", _) => MultiTask(new Consensus { MaskLambda = Number("lambda_mask"), AtLeast = Number("prune_threshold_k"), Lambda = Number("scaling"), SaveMask = true }),
        ("tall_masks", "original") => MultiTask(new TallMasks { MaskLambda = Number("lambda") }),
        ("tall_masks", "fusion_bench") => new TallMasks { MaskLambda = Number("lambda"), Compare = MaskComparison.BaseWeights },
        ("emr", _) => new Emr { Experts = Plain() },
        ("pcb", "original-nlp") => new Pcb { Ratio = Number("ratio"), Lambda = Number("lambda") },
        ("pcb", "original-vision") => new Pcb { Ratio = Number("ratio"), Form = PcbForm.Vision, Experts = Experts(List("lambdas")) },
        ("magmax", _) => new MagMax { Lambda = Number("lambda"), Experts = Plain() },
        ("task_arithmetic", _) => new TaskArithmetic { Lambda = Number("lambda") },
        ("task_negation", _) => new TaskArithmetic { Lambda = Number("lambda"), Experts = Experts(_ => -1) },
        ("task_analogy", _) => new TaskArithmetic { Lambda = Number("lambda"), Experts = Experts(Analogy()) },
        ("ties", "paper" or "fusion_bench") => Combined(Trimmed()),
        ("ties", "mergelm") => Combined(new Ties { Density = 1 - Number("mask_rate"), Cut = Cut.MaskRate, ZeroVote = ZeroVote.MajorityOrNothing }),
        ("ties", "sd_mecha") => Combined(PerTensor()),
        ("ties_extended", "sd_mecha") => PerTensor() with
        {
            Trim = TrimScope.Tensor,
            Election = Flag("vote_sgn") ? Election.Unweighted : Election.Count,
            Combine = Flag("apply_median") ? Combine.GeometricMedian : Combine.Sum,
            // The original scales by the ratio where its switch says not to.
            Stock = !Flag("apply_median") && !Flag("apply_stock"),
            Lambda = Number("lambda"),
        },
        ("dare_ties", "mergelm") => Combined(Dare() with { TrimDensity = 1 - Number("mask_rate"), Cut = Cut.MaskRate, ZeroVote = ZeroVote.MajorityOrNothing }),
        ("dare_ties", "fusion_bench") => Combined(Dare() with { TrimDensity = TopK() }),
        ("della", _) => Word("vote") == "none"
            ? new DellaLinear { Experts = Experts(List("weights")), Density = Number("density"), Epsilon = Number("epsilon"), Normalize = Flag("normalize"), Lambda = Number("lambda"), MaskFile = WriteMasks() }
            : new Della { Experts = Experts(List("weights")), Density = Number("density"), Epsilon = Number("epsilon"), Normalize = Flag("normalize"), Lambda = Number("lambda"), MaskFile = WriteMasks() },
        ("breadcrumbs", _) => new Breadcrumbs { Density = Number("keep_beta"), Gamma = Number("remove_gamma"), Lambda = Number("alpha") },
        ("dare_ta", _) => DareSum() with { Lambda = Number("lambda") },
        ("dare_avg", _) => DareSum() with { Normalize = true },
        _ => throw new NotSupportedException($"{_case}: no recipe for method '{_case.Method}' of '{_case.Program}', and no reason why it is skipped"),
    };

    /// <summary>FusionBench's Model Stock, with the tensors that it ignores as a part of their own: they take the plain mean.</summary>
    private Recipe ModelStock()
    {
        var stock = new ModelStock { Cosine = StockCosine.MeanAngle, Experts = Plain() };
        return _parameters["ignore_keys"] is JsonArray { Count: > 0 } ignored
            ? new Modules { Parts = [.. ignored.Select(k => Part(k!.GetValue<string>(), new Average())), Part("**", stock)] }
            : stock;
    }

    /// <summary>Vote, combination and lambda, which all forms of TIES name in the same way.</summary>
    private TRecipe Combined<TRecipe>(TRecipe recipe)
        where TRecipe : TrimmedRecipe
    {
        var scope = Word("trim_scope") switch
        {
            "model" => TrimScope.Model,
            "tensor" => TrimScope.Tensor,
            var other => throw Unknown("trim_scope", other),
        };
        var election = Word("vote") switch
        {
            "mass" => Election.Unweighted,
            "count" => Election.Count,
            "normfrac" => Election.NormFraction,
            "normmass" => Election.NormMass,
            "oracle" => Election.SignFile,
            "none" => Election.None,
            var other => throw Unknown("vote", other),
        };
        var disjoint = Word("combine").StartsWith("dis-", StringComparison.Ordinal);
        var (combine, normalize) = (disjoint ? Word("combine")[4..] : Word("combine")) switch
        {
            "mean" => (Combine.Sum, true),
            "sum" => (Combine.Sum, false),
            "max" when disjoint => (Combine.Max, false),
            "magnitude" when !disjoint => (Combine.Max, false),
            "median" when !disjoint => (Combine.Median, false),
            _ => throw Unknown("combine", Word("combine")),
        };
        return recipe with
        {
            Trim = scope,
            Election = election,
            SignFile = election == Election.SignFile ? _case.Resolve(_case.Json["inputs"]!["extra"]!["oracle_signs"]!.GetValue<string>()) : null,
            Combine = combine,
            Normalize = normalize,
            Disjoint = disjoint,
            Lambda = Number("lambda"),
        };
    }

    /// <summary>The multi-task vector in the words of the cases: <c>sum</c>, or for example <c>TIES topk 20 dis-sum</c>.</summary>
    private TRecipe MultiTask<TRecipe>(TRecipe recipe)
        where TRecipe : MultiTaskRecipe
    {
        if (Word("multi_task_vector") == "sum")
            return recipe;
        var match = Regex.Match(Word("multi_task_vector"), @"\ATIES topk (\d+(?:\.\d+)?) dis-(sum|mean|max)\z");
        if (!match.Success)
            throw Unknown("multi_task_vector", Word("multi_task_vector"));
        return recipe with
        {
            Density = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) / 100,
            Election = Election.Unweighted,
            Combine = match.Groups[2].Value == "max" ? Combine.Max : Combine.Sum,
            Normalize = match.Groups[2].Value == "mean",
        };
    }

    /// <summary>The trims of the TIES repository.</summary>
    private Ties Trimmed() => _parameters["trim"]?.GetValue<string>() switch
    {
        "nf" => new Ties { Cut = Cut.Share, Density = Number("k") },
        "std" => new Ties { Cut = Cut.Deviation, Deviations = Number("k") },
        _ => new Ties { Density = TopK() },
    };

    /// <summary>
    /// sd-mecha: each tensor is cut at its max(trunc((1 - k) n), 1)-th smallest magnitude, the product taken of the double
    /// 1 - k as it is; a zero vote keeps nothing.
    /// </summary>
    private Ties PerTensor()
    {
        var k = Number("k");
        var rules = SafetensorsFile.Read(_base)
            .Where(t => t.Value.IsFloat && (long)((1 - k) * t.Value.Count) != (long)(Math.Round(1 - k, 15) * t.Value.Count))
            .Select(t => On(t.Key) with { Density = 1 - (((long)((1 - k) * t.Value.Count) + 0.5) / t.Value.Count) });
        var own = Sequence.From<TensorRule>(rules);
        return new Ties
        {
            Density = k,
            Cut = Cut.MaskRate,
            ZeroVote = ZeroVote.Nothing,
            Experts = Sequence.From(_experts.Select(e => new Expert(Folder(e)) { Tensors = own })),
        };
    }

    /// <summary>DARE without an election: the same slots, as far as it has them.</summary>
    private DareLinear DareSum()
    {
        var dare = Dare();
        return new DareLinear { Experts = dare.Experts, Rescale = dare.Rescale, WriteBack = dare.WriteBack, Drop = dare.Drop, OnWeights = dare.OnWeights, MaskFile = dare.MaskFile };
    }

    private DareTies Dare()
    {
        var drop = _parameters["mask_strategy"]?.GetValue<string>() switch
        {
            null or "random" => Drop.Random,
            "magnitude" => Drop.Smallest,
            var other => throw Unknown("mask_strategy", other),
        };
        var onWeights = _parameters["weight_format"]?.GetValue<string>() switch
        {
            null or "delta_weight" => false,
            "finetuned_weight" => true,
            var other => throw Unknown("weight_format", other),
        };
        var rates = _parameters["drop_rate"] is JsonArray ? List("drop_rate") : [.. _experts.Select(_ => Number("drop_rate"))];
        return new DareTies
        {
            Experts = Sequence.From(_experts.Zip(rates, (e, rate) => new Expert(Folder(e)) { Density = 1 - rate })),
            Rescale = Flag("rescale") ? Rescale.Inverse : Rescale.None,
            Drop = drop,
            OnWeights = onWeights,
            WriteBack = _case.Program == "mergelm" && !onWeights,
            MaskFile = drop == Drop.Random ? WriteMasks() : null,
        };
    }

    /// <summary>
    /// The case's masks under the names that a recipe's mask file has: the number of the expert before the slash, where the
    /// case names the expert's file. Masks of a family serve cases that merge some of its experts.
    /// </summary>
    private string WriteMasks()
    {
        var model = SafetensorsFile.Read(_base);
        var masks = SafetensorsFile.Read(_case.Resolve(_case.Json["inputs"]!["extra"]!["masks"]!.GetValue<string>()));
        var path = Path.Combine(_scratch, "masks.safetensors");
        SafetensorsFile.Write(path, _experts.SelectMany((expert, i) => masks
            .Where(m => m.Key.StartsWith(Path.GetFileNameWithoutExtension(expert) + "/", StringComparison.Ordinal))
            .Where(m => model.TryGetValue(m.Key[(m.Key.IndexOf('/') + 1)..], out var tensor) && tensor.IsFloat)
            .Select(m => KeyValuePair.Create(i + m.Key[m.Key.IndexOf('/')..], m.Value))));
        return path;
    }

    /// <summary>The experts with their coefficients (a word stands for equal ones) and their Fisher weights.</summary>
    private Sequence<Expert> Fisher()
    {
        var weights = _parameters["coefficients"] is JsonArray ? List("coefficients") : [.. _experts.Select(_ => 1.0)];
        return WithStatistics("fisher", Experts(weights));
    }

    /// <summary>The experts with the statistics of the case, a file for each.</summary>
    private Sequence<Expert> WithStatistics(string what, Sequence<Expert> experts)
    {
        var all = SafetensorsFile.Read(_case.Resolve(_case.Json["inputs"]!["extra"]![what]!.GetValue<string>()));
        return Sequence.From(experts.Select((expert, i) =>
        {
            var prefix = Path.GetFileNameWithoutExtension(_experts[i]) + "/";
            var path = Path.Combine(_scratch, $"{what}-{i}.safetensors");
            SafetensorsFile.Write(path, all.Where(s => s.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(s => KeyValuePair.Create(s.Key[prefix.Length..], s.Value)));
            return expert with { Statistics = Folder(path) };
        }));
    }

    /// <summary>Tensors that stay the base's: integers, and those that a case excludes by an anchored pattern.</summary>
    private string[] Kept()
    {
        var excluded = (_parameters["exclude_param_names_regex"]?.AsArray() ?? []).Select(p => new Regex(@"\A(?:" + p!.GetValue<string>() + ")", RegexOptions.CultureInvariant)).ToArray();
        return [.. SafetensorsFile.Read(_base).Where(t => !t.Value.IsFloat || excluded.Any(e => e.IsMatch(t.Key))).Select(t => t.Key)];
    }

    /// <summary>The fraction that k names: above 1 it is a percentage.</summary>
    private double TopK() => _parameters["trim"]?.GetValue<string>() switch
    {
        "none" => 1,
        "topk" or null => Number("k") > 1 ? Number("k") / 100 : Number("k"),
        var other => throw Unknown("trim", other),
    };

    /// <summary>The signs in a formula such as <c>C + (B - A)</c>, for the letters in the experts' order.</summary>
    private double[] Analogy()
    {
        var formula = Word("formula").Replace(" ", "", StringComparison.Ordinal).Replace("(", "", StringComparison.Ordinal).Replace(")", "", StringComparison.Ordinal);
        if (!Regex.IsMatch(formula, @"\A\w(?:[+-]\w)*\z") || Word("formula").Contains("-(", StringComparison.Ordinal) || Word("formula").Contains("- (", StringComparison.Ordinal))
            throw Unknown("formula", Word("formula"));
        return [.. _parameters["order"]!.AsArray().Select(letter => formula.Contains("-" + letter!.GetValue<string>(), StringComparison.Ordinal) ? -1.0 : 1.0)];
    }

    /// <summary>An interpolation between two experts: the first stands in for the base.</summary>
    private Slerp Slerp() => new() { Base = Folder(_experts[0]), Experts = [Folder(_experts[1])], T = Number("t") };

    private Sequence<Expert> Plain() => Sequence.From(_experts.Select(e => new Expert(Folder(e))));

    private Sequence<Expert> Experts(Func<int, double> weight) =>
        Sequence.From(_experts.Select((e, i) => new Expert(Folder(e)) { Weight = weight(i) }));

    private Sequence<Expert> Experts(double[] weights) => Experts(i => weights[i]);

    private double Number(string key) => _parameters[key]!.GetValue<double>();

    private double[] List(string key) => [.. _parameters[key]!.AsArray().Select(v => v!.GetValue<double>())];

    private bool Flag(string key) => _parameters[key]!.GetValue<bool>();

    private string Word(string key) => _parameters[key]!.GetValue<string>();

    private NotSupportedException Unknown(string key, string value) =>
        new($"{_case}: no recipe for {key} '{value}', and no reason why it is skipped");
}
