using Smelt.Recipes.Rules;

namespace Smelt.Mergekit;

/// <summary>The rules of mergekit's configurations, beyond those that hold for every recipe.</summary>
public static class MergekitRules
{
    /// <summary>A configuration is YAML.</summary>
    public static readonly Rule NotYaml = new("SM9001", "Configuration not YAML", Severity.Error);

    /// <summary>A configuration has only known keys.</summary>
    public static readonly Rule UnknownKey = new("SM9002", "Unknown key in a mergekit configuration", Severity.Error);

    /// <summary>Each key has a type.</summary>
    public static readonly Rule WrongType = new("SM9003", "Wrong type in a mergekit configuration", Severity.Error);

    /// <summary>Some keys must be there.</summary>
    public static readonly Rule MissingKey = new("SM9004", "Missing key in a mergekit configuration", Severity.Error);

    /// <summary>Some keys exclude each other.</summary>
    public static readonly Rule ExclusiveKeys = new("SM9005", "Keys exclude each other", Severity.Error);

    /// <summary>A configuration names a method of mergekit.</summary>
    public static readonly Rule UnknownMethod = new("SM9006", "Unknown merge method", Severity.Error);

    /// <summary>A parameter is one of mergekit's.</summary>
    public static readonly Rule UnknownParameter = new("SM9007", "Unknown parameter", Severity.Error);

    /// <summary>A method without a default for a parameter gets a value.</summary>
    public static readonly Rule MissingParameter = new("SM9008", "Parameter not given", Severity.Error);

    /// <summary>Each setting does something.</summary>
    public static readonly Rule NoEffect = new("SM9009", "Setting does nothing", Severity.Warning);

    /// <summary>A model reference can be read.</summary>
    public static readonly Rule ModelReference = new("SM9010", "Model reference not readable", Severity.Error);

    /// <summary>A method gets the models that it merges.</summary>
    public static readonly Rule InputCount = new("SM9011", "Models do not fit the method", Severity.Error);

    /// <summary>A parameter that is one number for the whole merge does not differ between tensors.</summary>
    public static readonly Rule OneValue = new("SM9012", "Parameter can't differ between tensors", Severity.Error);

    /// <summary>Layers of slices make sense.</summary>
    public static readonly Rule Layers = new("SM9013", "Layers of a slice do not fit", Severity.Error);

    /// <summary>The documents of a file make a chain of stages.</summary>
    public static readonly Rule Stages = new("SM9014", "Stages do not fit together", Severity.Error);

    /// <summary>A chat template is known.</summary>
    public static readonly Rule ChatTemplate = new("SM9015", "Unknown chat template", Severity.Error);

    /// <summary>Smelt can do what the configuration asks for.</summary>
    public static readonly Rule NotSupported = new("SM9016", "Not supported yet", Severity.Error);

    /// <summary>A recipe has a form in mergekit.</summary>
    public static readonly Rule NoForm = new("SM9017", "Recipe without a form in mergekit", Severity.Error);

    /// <summary>A mixture of experts has enough experts.</summary>
    public static readonly Rule Mixture = new("SM9018", "Mixture of experts does not fit", Severity.Error);

    /// <summary>A recipe's form in mergekit does the same.</summary>
    public static readonly Rule OtherMeaning = new("SM9019", "Form in mergekit differs", Severity.Warning);

    /// <summary>A model that is named by a path is there.</summary>
    public static readonly Rule ModelNotFound = new("SM9020", "Model not found", Severity.Error);

    /// <summary>All rules in the order of their ids.</summary>
    public static IReadOnlyList<Rule> All { get; } =
        [.. typeof(MergekitRules).GetFields().Select(f => f.GetValue(null)).OfType<Rule>().OrderBy(r => r.Id, StringComparer.Ordinal)];
}
