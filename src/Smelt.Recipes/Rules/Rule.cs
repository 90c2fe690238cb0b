namespace Smelt.Recipes.Rules;

/// <summary>One rule of recipes: what analyzers report in C# and the tool reports in configurations.</summary>
/// <param name="Id">SM and four digits; the first is the group: 1 shape, 2 values, 3 tensors, 4 sweeps, 5 configuration files, 0 style.</param>
/// <param name="Title">The rule in a few words.</param>
/// <param name="Severity">How serious a breach is.</param>
public sealed record Rule(string Id, string Title, Severity Severity)
{
    /// <summary>The rule's documentation page.</summary>
    public string HelpLink => "docs/rules/" + Id + ".md";

    /// <summary>A breach of this rule.</summary>
    public Problem At(string where, string message, string fix = "") => new(Id, Severity, where, message, fix);
}

/// <summary>All rules of recipes and configurations.</summary>
public static class RuleTable
{
    /// <summary>A recipe merges at least one expert.</summary>
    public static readonly Rule NoExpert = new("SM1001", "Recipe without experts", Severity.Error);

    /// <summary>A model is listed once.</summary>
    public static readonly Rule DuplicateExpert = new("SM1002", "Expert listed twice", Severity.Error);

    /// <summary>The task vector of the base to itself is zero.</summary>
    public static readonly Rule BaseAmongExperts = new("SM1003", "Base listed as an expert", Severity.Error);

    /// <summary>Methods on task vectors need a base.</summary>
    public static readonly Rule NoBase = new("SM1004", "Method without its base", Severity.Error);

    /// <summary>Names of recipes become folder names.</summary>
    public static readonly Rule RecipeName = new("SM1005", "Recipe name not usable", Severity.Error);

    /// <summary>Names of recipes are unique in a project.</summary>
    public static readonly Rule DuplicateRecipe = new("SM1006", "Two recipes of one name", Severity.Error);

    /// <summary>The generator adds to the recipe's class.</summary>
    public static readonly Rule NotPartial = new("SM1007", "Recipe class not static partial", Severity.Error);

    /// <summary>A recipe class has a Define method.</summary>
    public static readonly Rule NoDefine = new("SM1008", "Recipe class without Define", Severity.Error);

    /// <summary>What the generator can't fold is evaluated when the recipe runs.</summary>
    public static readonly Rule NotConstant = new("SM1009", "Recipe not constant", Severity.Information);

    /// <summary>A model is named by a folder or a hub id.</summary>
    public static readonly Rule ModelReference = new("SM1010", "Model reference not usable", Severity.Error);

    /// <summary>Some methods merge two models, or one.</summary>
    public static readonly Rule ExpertCount = new("SM1011", "Number of experts does not fit the method", Severity.Error);

    /// <summary>What holds for the whole output is said by the outermost recipe, what holds for a merge by the inner ones.</summary>
    public static readonly Rule WrongLevel = new("SM1012", "Setting on the wrong level", Severity.Error);

    /// <summary>A stack has slices, modules have parts, and slices are merges.</summary>
    public static readonly Rule Composition = new("SM1013", "Recipes can't be combined like this", Severity.Error);

    /// <summary>A stage has one output.</summary>
    public static readonly Rule StageSweeps = new("SM1014", "Stage with a sweep", Severity.Error);

    /// <summary>A recipe is not made of itself.</summary>
    public static readonly Rule StageCycle = new("SM1015", "Stages form a circle", Severity.Error);

    /// <summary>Pools, arms and subsets of an experiment fit each other.</summary>
    public static readonly Rule ExperimentShape = new("SM1016", "Experiment without a sound grid", Severity.Error);

    /// <summary>Pools and arms of an experiment have names of their own.</summary>
    public static readonly Rule ExperimentNames = new("SM1017", "Two parts of an experiment of one name", Severity.Error);

    /// <summary>A stage is a recipe.</summary>
    public static readonly Rule UnknownStage = new("SM1018", "Stage not marked as a recipe", Severity.Error);

    /// <summary>A record marked as a merge method can be registered as one.</summary>
    public static readonly Rule MethodDeclaration = new("SM1019", "Record can't be a merge method", Severity.Error);

    /// <summary>Every slot has a range.</summary>
    public static readonly Rule OutOfRange = new("SM2001", "Value out of range", Severity.Error);

    /// <summary>NaN and infinity are no values of a recipe.</summary>
    public static readonly Rule NotFinite = new("SM2002", "Value not finite", Severity.Error);

    /// <summary>Normalising divides by the sum of the weights.</summary>
    public static readonly Rule WeightsCancel = new("SM2004", "Weights sum to zero", Severity.Error);

    /// <summary>A setting has an effect.</summary>
    public static readonly Rule NoEffect = new("SM2005", "Setting without effect", Severity.Warning);

    /// <summary>A density of 0 drops the whole task vector.</summary>
    public static readonly Rule ZeroDensity = new("SM2006", "Density drops everything", Severity.Warning);

    /// <summary>A size is a number with a unit.</summary>
    public static readonly Rule BadSize = new("SM2007", "Size not readable", Severity.Error);

    /// <summary>An enum slot holds one of its members.</summary>
    public static readonly Rule UndefinedMember = new("SM2008", "Value not a member of its enum", Severity.Error);

    /// <summary>Some values have no default that would suit.</summary>
    public static readonly Rule RequiredValue = new("SM2009", "Value must be given", Severity.Error);

    /// <summary>Layers are counted from 0, the last one excluded.</summary>
    public static readonly Rule BadLayers = new("SM2010", "Layers not valid", Severity.Error);

    /// <summary>A gradient needs a number that can differ between tensors.</summary>
    public static readonly Rule BadGradient = new("SM2011", "Gradient not possible", Severity.Error);

    /// <summary>All inputs of a merge bring as many layers.</summary>
    public static readonly Rule LayerCounts = new("SM2012", "Inputs with different numbers of layers", Severity.Error);

    /// <summary>A recipe that is to be reproducible says what random masks are drawn from.</summary>
    public static readonly Rule SeedMissing = new("SM2013", "Random method without a seed", Severity.Error);

    /// <summary>A recipe that is to be reproducible names commits of hub models, not branches that move.</summary>
    public static readonly Rule NotPinned = new("SM2014", "Hub model not pinned to a commit", Severity.Error);

    /// <summary>An average that does not divide by its weights has weights that sum to 1.</summary>
    public static readonly Rule ScaledAverage = new("SM2015", "Weights do not sum to 1", Severity.Warning);

    /// <summary>Keep probabilities lie between 0 and 1.</summary>
    public static readonly Rule KeepProbability = new("SM2016", "Keep probability not between 0 and 1", Severity.Error);

    /// <summary>A chat template is a known name or a text in Jinja.</summary>
    public static readonly Rule BadChatTemplate = new("SM2017", "Unknown chat template", Severity.Error);

    /// <summary>A tensor pattern follows the glob syntax.</summary>
    public static readonly Rule GlobSyntax = new("SM3001", "Tensor pattern not valid", Severity.Error);

    /// <summary>The first of several equal patterns wins.</summary>
    public static readonly Rule ShadowedRule = new("SM3002", "Tensor rule never used", Severity.Warning);

    /// <summary>A tensor rule sets a value.</summary>
    public static readonly Rule EmptyRule = new("SM3003", "Tensor rule sets nothing", Severity.Error);

    /// <summary>An expert's own rules set its weight or density.</summary>
    public static readonly Rule ExpertRule = new("SM3004", "Tensor rule not allowed for an expert", Severity.Error);

    /// <summary>Of two rules that set the same value of a tensor, the first wins.</summary>
    public static readonly Rule OverlappingRules = new("SM3005", "Tensor rules overlap", Severity.Information);

    /// <summary>A tensor pattern is spelt as the tensors of common models are.</summary>
    public static readonly Rule MisspeltPattern = new("SM3006", "Tensor pattern perhaps misspelt", Severity.Information);

    /// <summary>A gradient runs over layers.</summary>
    public static readonly Rule GradientOutsideLayers = new("SM3007", "Gradient on tensors outside the layers", Severity.Warning);

    /// <summary>By the lock file, a tensor pattern matches a tensor.</summary>
    public static readonly Rule LockedPattern = new("SM3010", "Tensor pattern matches nothing in the lock file", Severity.Warning);

    /// <summary>By the lock file, inputs agree on shapes.</summary>
    public static readonly Rule LockedShape = new("SM3011", "Shapes differ in the lock file", Severity.Error);

    /// <summary>By the lock file, every input has every tensor.</summary>
    public static readonly Rule LockedMissing = new("SM3012", "Tensor missing in the lock file", Severity.Error);

    /// <summary>By the lock file, a model has the layers that are taken of it.</summary>
    public static readonly Rule LockedLayers = new("SM3013", "Layers not in the lock file", Severity.Error);

    /// <summary>A lock file is one.</summary>
    public static readonly Rule BadLock = new("SM3014", "Lock file not readable", Severity.Error);

    /// <summary>A sweep has points.</summary>
    public static readonly Rule EmptySweep = new("SM4001", "Sweep without points", Severity.Error);

    /// <summary>Points of a sweep differ.</summary>
    public static readonly Rule DuplicatePoint = new("SM4002", "Sweep with a point twice", Severity.Error);

    /// <summary>A grid has a bounded number of outputs.</summary>
    public static readonly Rule GridTooLarge = new("SM4003", "Grid too large", Severity.Error);

    /// <summary>Numbers on one axis advance together.</summary>
    public static readonly Rule ZipLengths = new("SM4004", "Axis of different lengths", Severity.Error);

    /// <summary>An axis ties numbers together.</summary>
    public static readonly Rule LonelyAxis = new("SM4005", "Axis with one number", Severity.Warning);

    /// <summary>Names of axes become parts of folder names.</summary>
    public static readonly Rule AxisName = new("SM4006", "Axis name not usable", Severity.Error);

    /// <summary>A configuration is JSON.</summary>
    public static readonly Rule NotJson = new("SM5001", "Configuration not JSON", Severity.Error);

    /// <summary>A configuration has only known keys.</summary>
    public static readonly Rule UnknownKey = new("SM5002", "Unknown key", Severity.Error);

    /// <summary>Each key has a type.</summary>
    public static readonly Rule WrongType = new("SM5003", "Wrong type", Severity.Error);

    /// <summary>Some keys must be there.</summary>
    public static readonly Rule MissingKey = new("SM5004", "Missing key", Severity.Error);

    /// <summary>A configuration names the version of its schema.</summary>
    public static readonly Rule SchemaVersion = new("SM5005", "Schema version not supported", Severity.Error);

    /// <summary>A key stands once in its object.</summary>
    public static readonly Rule DuplicateKey = new("SM5006", "Key written twice", Severity.Error);

    /// <summary>A configuration names a known method.</summary>
    public static readonly Rule UnknownMethod = new("SM5007", "Unknown method", Severity.Error);

    /// <summary>Experts weigh 1 unless given.</summary>
    public static readonly Rule OmittableWeight = new("SM0001", "Weights can be omitted", Severity.Information);

    /// <summary>A default need not be written.</summary>
    public static readonly Rule OmittableValue = new("SM0002", "Value is the default", Severity.Information);

    /// <summary>Models that moved on the hub have new names.</summary>
    public static readonly Rule OldHubName = new("SM0003", "Deprecated name of a hub model", Severity.Information);

    /// <summary>Points of a sweep rise or fall.</summary>
    public static readonly Rule UnsortedSweep = new("SM0004", "Sweep not in order", Severity.Information);

    /// <summary>A model that is named several times has a name of its own.</summary>
    public static readonly Rule RepeatedModel = new("SM0005", "Model written out several times", Severity.Information);

    /// <summary>A sweep over one value is that value.</summary>
    public static readonly Rule SinglePoint = new("SM0006", "Sweep over one value", Severity.Information);

    /// <summary>A gradient between equal values is that value.</summary>
    public static readonly Rule FlatGradient = new("SM0007", "Gradient without a slope", Severity.Information);

    /// <summary>All rules in the order of their ids.</summary>
    public static IReadOnlyList<Rule> All { get; } =
        typeof(RuleTable).GetFields().Select(f => f.GetValue(null)).OfType<Rule>().OrderBy(r => r.Id, StringComparer.Ordinal).ToArray();
}
