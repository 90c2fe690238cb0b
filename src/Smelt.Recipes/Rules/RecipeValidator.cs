using System.Globalization;

namespace Smelt.Recipes.Rules;

/// <summary>
/// Checks a recipe against every rule that needs no checkpoint. Problems come as data, all of them, each with the JSON
/// pointer of its place (<c>/experts/1/density</c>); analyzers map the pointer to the expression in the source.
/// </summary>
public static partial class RecipeValidator
{
    /// <summary>Longer texts are cut in messages.</summary>
    private const int LongestQuote = 60;

    /// <summary>The shortest sum of weights, relative to the sum of their magnitudes, that counts as not zero.</summary>
    private const double SmallestRelativeSum = 1e-8;

    /// <summary>How far from 1 a sum of weights counts as 1: weights written with three digits, such as 0.333, are meant to sum to 1.</summary>
    private const double LargestSumError = 0.0051;

    /// <summary>All problems of a recipe.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="reproducible">Whether it must say all that its output depends on (<see cref="RecipeAttribute.Reproducible"/>).</param>
    public static IReadOnlyList<Problem> Validate(string name, Recipe recipe, bool reproducible = false)
    {
        var problems = new List<Problem>();
        CheckName(name, problems);
        CheckWhole(recipe, "", problems);
        if (reproducible)
            ReproducibilityRules.Check(recipe, "", problems);
        return problems;
    }

    /// <summary>Checks a recipe that has an output of its own: the outermost one, or a stage.</summary>
    private static void CheckWhole(Recipe recipe, string path, List<Problem> problems)
    {
        CheckRecipe(recipe, path, problems);
        SweepRules.Check(recipe, path, problems);
    }

    private static void CheckRecipe(Recipe recipe, string path, List<Problem> problems)
    {
        var own = new List<Problem>();
        CheckSlots(recipe, path, own);
        CheckModels(recipe, path, own);
        CheckLayers(recipe, path, own);
        if (recipe is CompositeRecipe composite)
            CompositionRules.Check(composite, path, own, CheckRecipe);
        CheckRules(recipe.Tensors, path + "/tensors", own);
        CheckRuleRanges(recipe, path, own);
        for (var i = 0; i < recipe.Experts.Count; i++)
            CheckExpert(recipe, recipe.Experts[i], $"{path}/experts/{i}", own);
        CheckNoEffect(recipe, path, own);
        if (!own.Any(p => p.Severity == Severity.Error))
            CheckWeights(recipe, path, own);
        problems.AddRange(own);
    }

    private static void CheckLayers(Recipe recipe, string path, List<Problem> problems)
    {
        void CheckRange(LayerRange? layers, string where)
        {
            if (layers is { IsValid: false })
                problems.Add(RuleTable.BadLayers.At(where, $"the layers are {layers}; allowed: from a first layer, counted from 0, up to a later one.", "Write 0..16 for the first 16 layers, 8.. for all from the ninth on."));
        }

        CheckRange(recipe.Layers, path + "/layers");
        if (recipe.Layers is null && recipe.Experts.All(e => e.Layers is null))
            return;
        for (var i = 0; i < recipe.Experts.Count; i++)
        {
            CheckRange(recipe.Experts[i].Layers, $"{path}/experts/{i}/layers");
            var counts = recipe.Experts.Take(i + 1).Select(e => e.Layers ?? recipe.Layers).Append(recipe.Base is null ? null : recipe.Layers)
                .Where(l => l is { IsValid: true, End: not null }).Select(l => l!.End!.Value - l.First).Distinct().ToArray();
            if (counts.Length > 1)
            {
                problems.Add(RuleTable.LayerCounts.At($"{path}/experts/{i}/layers", $"the inputs of this merge bring {string.Join(" and ", counts)} layers.", "Give every input as many layers."));
                break;
            }

            if (recipe.Experts[i].Layers is null && recipe.Layers is null && recipe.Experts.Any(e => e.Layers is not null))
                problems.Add(RuleTable.BadLayers.At($"{path}/experts/{i}/layers", "other experts say which of their layers take part, and this one does not.", "Set Layers of the recipe, or of every expert."));
        }
    }

    /// <summary>All problems of a recipe's name, which <see cref="Validate"/> finds too: a name is known before its recipe is.</summary>
    public static IReadOnlyList<Problem> ValidateName(string name)
    {
        var problems = new List<Problem>();
        CheckName(name, problems);
        return problems;
    }

    private static void CheckName(string name, List<Problem> problems)
    {
        var usable = name.Length is > 0 and <= 100
            && name.All(c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '.' or '_' or '-')
            && name[0] != '.' && name[name.Length - 1] != '.';
        if (!usable)
        {
            problems.Add(RuleTable.RecipeName.At(
                "/name",
                $"the recipe name '{name}' is not usable as a folder name; allowed: 1 to 100 letters (a-z, A-Z), digits, '.', '_', '-', without a dot at an end.") with
            {
                Replacement = Configuration.CanonicalJson.Write(Usable(name)),
            });
        }
    }

    /// <summary>A name with what no folder name may hold taken out.</summary>
    private static string Usable(string name)
    {
        var kept = string.Concat(name.Select(c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '.' or '_' ? c : '-')).Trim('.', '-');
        return kept.Length == 0 ? "recipe" : kept.Substring(0, Math.Min(kept.Length, 100)).TrimEnd('.');
    }

    /// <summary>A text as messages quote it: no more of it than tells which one it is.</summary>
    internal static string Shortened(string text) => text.Length > LongestQuote ? text.Substring(0, LongestQuote) + "..." : text;

    /// <summary>Checks the values of a recipe, an expert or, with its index, a tensor rule.</summary>
    internal static void CheckSlots(object owner, string path, List<Problem> problems, int? index = null)
    {
        var slots = Slots.Of(owner);
        for (var s = 0; s < slots.Count; s++)
        {
            var slot = slots[s];
            var value = slot.Get(owner);
            if (value is null && !slot.Attribute.Required)
                continue;

            // Of thousands of rules few are broken: places are made for those alone.
            if (value is Scalar { IsSweep: false, IsGradient: false } constant && constant.Value != 0 && IsInRange(constant.Value, slot))
                continue;
            var where = (index is { } i ? $"{path}/{i}/" : path + "/") + slot.Name;
            switch (value)
            {
                case null:
                    problems.Add(RuleTable.RequiredValue.At(where, $"{slot.Name} is not given, and no default would suit.", $"Set it: {slot.Property} = ...{(slot.Type == typeof(Scalar) ? ", " + slot.Attribute.Range(slot.Name) : "")}.") with
                    {
                        Replacement = slot.Type == typeof(Scalar) ? Configuration.CanonicalJson.Number(slot.Attribute.Nearest(0.5)) : null,
                    });
                    break;
                case Scalar scalar: CheckScalar(scalar, slot, where, problems); break;
                case ByteSize { InvalidText: { } text }:
                    problems.Add(RuleTable.BadSize.At(where, $"{slot.Name} is '{text}', which is no size; allowed: a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, as in \"5GB\"."));
                    break;
                case ChatTemplate { IsKnown: false } template:
                    problems.Add(RuleTable.BadChatTemplate.At(where, $"{slot.Name} is '{Shortened(template.Text)}'; allowed: {string.Join(", ", ChatTemplate.Names)}, or a template in Jinja, which has a '{{'.", Configuration.EditDistance.DidYouMean(template.Text, ChatTemplate.Names, quote: "'")) with
                    {
                        Replacement = Configuration.EditDistance.Nearest(template.Text, ChatTemplate.Names) is { } meant ? Configuration.CanonicalJson.Write(meant) : null,
                    });
                    break;
                case ByteSize size: CheckRange(size.Bytes, slot, where, problems); break;
                case Enum member when !Enum.IsDefined(member.GetType(), member):
                    problems.Add(RuleTable.UndefinedMember.At(where, $"{slot.Name} is {member}; allowed: {string.Join(", ", Enum.GetNames(member.GetType()))}."));
                    break;
            }
        }
    }

    private static void CheckScalar(Scalar scalar, Slot slot, string where, List<Problem> problems)
    {
        if (scalar.IsGradient)
        {
            if (!Slots.TakesGradient(slot))
                problems.Add(RuleTable.BadGradient.At(where, $"{slot.Name} is one number for all tensors and takes no gradient; those that do: {string.Join(", ", Slots.Of(typeof(TensorOverride)).Select(s => s.Name))}.", "Give it a constant or a sweep."));
            else if (scalar.Values.Count == 0)
                problems.Add(RuleTable.BadGradient.At(where, $"the gradient of {slot.Name} has no values.", "List the values from the first layer to the last: Gradient(0, 1)."));
            for (var i = 0; i < scalar.Values.Count; i++)
                CheckRange(scalar.Values[i], slot, $"{where}/gradient/{i}", problems);
            return;
        }

        if (scalar.IsSweep && scalar.Values.Count == 0)
            problems.Add(RuleTable.EmptySweep.At(where, $"the sweep over {slot.Name} has no points.", "List at least one value: Sweep(0.2, 0.4)."));
        var seen = scalar.Axis is null && scalar.Values.Count > 1 ? new HashSet<double>() : null;
        for (var i = 0; i < scalar.Values.Count; i++)
        {
            var place = !scalar.IsSweep ? where : scalar.Axis is null ? $"{where}/sweep/{i}" : $"{where}/zip/{i}";
            CheckRange(scalar.Values[i], slot, place, problems);
            if (seen?.Add(scalar.Values[i]) == false)
                problems.Add(RuleTable.DuplicatePoint.At(place, $"the sweep over {slot.Name} has the point {Text(scalar.Values[i])} twice; both would be the same output.", "Remove one."));
        }
    }

    private static void CheckRange(double value, Slot slot, string where, List<Problem> problems)
    {
        if (double.IsNaN(value) || double.IsInfinity(value))
            problems.Add(RuleTable.NotFinite.At(where, $"{slot.Name} is {Text(value)}; allowed: {slot.Attribute.Range(slot.Name)}."));
        else if (!IsInRange(value, slot))
            problems.Add(RuleTable.OutOfRange.At(where, $"{slot.Name} is {Text(value)}; allowed: {slot.Attribute.Range(slot.Name)}.") with { Replacement = Configuration.CanonicalJson.Number(slot.Attribute.Nearest(value)) });
        else if (value == 0 && (slot.Name is "density" or "trimDensity"))
            problems.Add(RuleTable.ZeroDensity.At(where, $"{slot.Name} is 0, which drops the whole task vector."));
    }

    /// <summary>Whether a number is finite and one that a slot allows.</summary>
    private static bool IsInRange(double value, Slot slot) =>
        value >= slot.Attribute.Min && value <= slot.Attribute.Max && !double.IsInfinity(value) && !(slot.Attribute.Integer && value != Math.Floor(value));

    private static void CheckRules(Sequence<TensorRule> rules, string path, List<Problem> problems)
    {
        for (var i = 0; i < rules.Count; i++)
            CheckSlots(rules[i], path, problems, i);
        TensorRules.Check(rules, path, problems);
    }

    /// <summary>A value for some tensors lies in the range of the recipe's own slot.</summary>
    private static void CheckRuleRanges(Recipe recipe, string path, List<Problem> problems)
    {
        static bool TakesAny(Slot slot) => double.IsInfinity(slot.Attribute.Min) && double.IsInfinity(slot.Attribute.Max);
        var slots = Slots.Of(recipe).Where(s => s.Type == typeof(Scalar) && !TakesAny(s)).ToArray();
        var narrowed = Slots.Of(typeof(TensorOverride)).Where(s => TakesAny(s) && Slots.Find(slots, s.Name) is not null).ToArray();
        if (narrowed.Length == 0)
            return;
        for (var i = 0; i < recipe.Tensors.Count; i++)
        {
            if (recipe.Tensors[i] is not TensorOverride rule)
                continue;
            foreach (var own in narrowed)
            {
                foreach (var value in ((Scalar?)own.Get(rule))?.Values.Where(v => !double.IsNaN(v) && !double.IsInfinity(v)) ?? [])
                    CheckRange(value, Slots.Find(slots, own.Name)!, $"{path}/tensors/{i}/{own.Name}", problems);
            }
        }
    }

    private static void CheckNoEffect(Recipe recipe, string path, List<Problem> problems)
    {
        void Flag(string where, string slot, string why) =>
            problems.Add(RuleTable.NoEffect.At(where, $"{slot} has no effect: {why}.", "Remove it."));
        Slot[] WithoutEffect(Type owner) => [.. Slots.Of(owner).Where(s => s.Type == typeof(Scalar) && !HasEffect(recipe, s.Name, owner == typeof(Expert)))];
        var (ofExperts, ofRules) = (WithoutEffect(typeof(Expert)), WithoutEffect(typeof(TensorOverride)));
        void FlagSlots(object owner, string list, int index)
        {
            foreach (var slot in owner is Expert ? ofExperts : ofRules)
            {
                if (slot.Get(owner) is not null)
                    Flag($"{list}/{index}/{slot.Name}", slot.Name, $"{Slots.MethodId(recipe)} has no {slot.Name}{(owner is Expert && HasEffect(recipe, slot.Name, false) ? " of single experts" : "")}");
            }
        }

        for (var i = 0; i < recipe.Experts.Count; i++)
        {
            FlagSlots(recipe.Experts[i], path + "/experts", i);
            for (var r = 0; r < recipe.Experts[i].Tensors.Count; r++)
            {
                if (recipe.Experts[i].Tensors[r] is TensorOverride { Weight: var weight, Density: var density, Gamma: var gamma, Epsilon: var epsilon })
                    FlagSlots(new Expert(new FolderModel("")) { Weight = weight, Density = density, Gamma = gamma, Epsilon = epsilon }, $"{path}/experts/{i}/tensors", r);
            }
        }

        var tensors = path + "/tensors";
        for (var r = 0; r < recipe.Tensors.Count; r++)
        {
            if (recipe.Tensors[r] is TensorOverride rule)
                FlagSlots(rule, tensors, r);
        }

        if (recipe is { Dtype: not null, PromoteDtype: true })
            Flag(path + "/promoteDtype", "promoteDtype", "dtype is given");
        if (recipe is Pcb { Missing: MissingTensors.Union })
            problems.Add(RuleTable.Composition.At(path + "/missing", "missing is Union, where every tensor has experts of its own, and pcb goes by statistics of whole experts.", "Set Missing = MissingTensors.Intersection."));
        if (recipe is { Missing: MissingTensors.Union } && recipe.Resolve() is TrimmedRecipe { Trim: TrimScope.Model } or IOutlierTrim { Trim: TrimScope.Model })
            problems.Add(RuleTable.Composition.At(path + "/missing", "missing is Union, where every tensor has experts of its own, and trim is Model, one threshold over all tensors of an expert.", "Set Trim = TrimScope.Tensor, or Missing = Intersection."));
        if (recipe is Fisher { Missing: MissingTensors.Union, Normalize: not false })
            problems.Add(RuleTable.Composition.At(path + "/missing", "missing is Union, where every tensor has experts of its own, and normalize divides by a norm over all tensors of an expert.", "Set Normalize = false, or Missing = Intersection."));
        if (recipe is NuSlerp { ColumnWise: true, Flatten: not false })
            Flag(path + "/columnWise", "columnWise", "flatten takes each tensor as one vector");
        CheckMasks(recipe, path, problems);
        if (recipe is SparseRecipe { Rescale: Rescale.Inverse } and not IRandomDrop)
            problems.Add(RuleTable.UndefinedMember.At(path + "/rescale", $"rescale is Inverse, which undoes a random drop; {Slots.MethodId(recipe)} trims by magnitude. Allowed: None, L1.", "Use L1 to keep the norm, or DareTies."));
        if (recipe is TrimmedRecipe { Trim: TrimScope.Row })
            problems.Add(RuleTable.UndefinedMember.At(path + "/trim", $"trim is Row, and {Slots.MethodId(recipe)} has no threshold for each row. Allowed: Tensor, Model.", "Use Breadcrumbs to compare magnitudes inside rows."));
        if (recipe is IRandomDrop { MaskFile: not null, Seed: not null } and not IDare { Drop: Drop.Smallest })
            Flag(path + "/seed", "seed", "the masks come from maskFile");
        if (recipe is IDare dare)
            DropRules.Check(dare, recipe, path, problems);
        if (recipe is SparseRecipe sparse)
            DensityRules.Check(sparse, path, problems);
        if (recipe is SparseRecipe and IGradedDrop && recipe.Resolve() is SparseRecipe { Rescale: Rescale.Inverse } and IGradedDrop { Rows: RowAxis.Second })
            problems.Add(RuleTable.UndefinedMember.At(path + "/rows", "rows is Second, and rescale Inverse divides by probabilities along the last dimension. Allowed with Inverse: Last.", "Leave rows out, or set Rescale = Rescale.L1."));
        if (recipe is ElectedRecipe elected)
            SignRules.Check(elected, path, problems);
    }

    /// <summary>Masks go with whole outputs that have the tensors of all their inputs.</summary>
    private static void CheckMasks(Recipe recipe, string path, List<Problem> problems)
    {
        if (!recipe.WritesMasks)
            return;
        var why = $"{Slots.MethodId(recipe)} writes masks, which belong to all layers and all experts";
        if (recipe.Layers is not null || recipe.Experts.Any(e => e.Layers is not null))
            problems.Add(RuleTable.Composition.At(path + "/layers", why + ".", "Leave out Layers."));
        if (recipe.Missing == MissingTensors.Union)
            problems.Add(RuleTable.Composition.At(path + "/missing", why + ", and missing is Union.", "Set Missing = MissingTensors.Intersection, or leave it out."));
    }

    /// <summary>Whether a value of one expert or one tensor has an effect on a recipe.</summary>
    private static bool HasEffect(Recipe recipe, string slot, bool ofExpert) => slot switch
    {
        "weight" => recipe.UsesWeights,
        "density" => recipe is SparseRecipe,
        "gamma" => recipe is IOutlierTrim,
        "epsilon" when ofExpert => recipe is IGradedDrop,
        _ => Slots.Find(Slots.Of(recipe), slot) is not null,
    };

    private static void CheckWeights(Recipe recipe, string path, List<Problem> problems)
    {
        // Gradients are looked at for each tensor, when the depth of the model is known.
        if (recipe is Average { Normalize: false })
            CheckSum(recipe, path, problems);
        if (!recipe.DividesByWeights || recipe.Experts.Any(e => e.Weight is { IsGradient: true }))
            return;
        foreach (var point in SweepExpansion.Expand(recipe))
        {
            double sum = 0, magnitudes = 0;
            foreach (var expert in point.Recipe.Experts)
            {
                sum += expert.Weight!.Value;
                magnitudes += Math.Abs(expert.Weight.Value);
            }

            if (Math.Abs(sum) > SmallestRelativeSum * magnitudes)
                continue;
            problems.Add(RuleTable.WeightsCancel.At(
                path + "/experts",
                $"the weights {string.Join(", ", point.Recipe.Experts.Select(e => Text(e.Weight!.Value)))} sum to 0{(point.Label.Length > 0 ? " at " + point.Label : "")}, and {Slots.MethodId(recipe)} divides by their sum.",
                "Change a weight, or turn the normalisation off."));
            return;
        }
    }

    private static void CheckSum(Recipe recipe, string path, List<Problem> problems)
    {
        if (recipe.Tensors.OfType<TensorOverride>().Concat(recipe.Experts.SelectMany(e => e.Tensors).OfType<TensorOverride>()).Any(r => r.Weight is not null)
            || recipe.Experts.Any(e => e.Weight is { IsSweep: true } or { IsGradient: true }))
            return;
        var weights = recipe.Experts.Select(e => e.Weight?.Value ?? 1).ToArray();
        var sum = weights.Sum();
        if (Math.Abs(sum - 1) > LargestSumError)
            problems.Add(RuleTable.ScaledAverage.At(path + "/experts", $"the weights {string.Join(", ", weights.Select(Text))} sum to {Text(sum)}, and without normalisation the output is scaled by as much; allowed: a sum of 1.", "Divide the weights by their sum, or turn the normalisation on."));
    }

    /// <summary>A number as messages have it.</summary>
    internal static string Text(double value) => double.IsNaN(value) || double.IsInfinity(value)
        ? value.ToString(CultureInfo.InvariantCulture)
        : Configuration.CanonicalJson.Number(value);
}
