using Smelt.Recipes.Rules;

namespace Smelt.Tool;

/// <summary>The rules of the command line and of recipe projects as the tool meets them.</summary>
internal static class ToolRules
{
    /// <summary>The path is there, and is of a kind that holds recipes.</summary>
    public static readonly Rule NoSuchSource = new("SM8001", "Recipe source not found", Severity.Error);

    /// <summary>A project or an assembly holds recipes.</summary>
    public static readonly Rule NoRecipes = new("SM8002", "No recipe", Severity.Error);

    /// <summary>A recipe named on the command line is in the source.</summary>
    public static readonly Rule UnknownRecipe = new("SM8003", "Unknown recipe", Severity.Error);

    /// <summary>Building a project takes the .NET SDK.</summary>
    public static readonly Rule NoSdk = new("SM8004", "No .NET SDK", Severity.Error);

    /// <summary>A recipe project builds.</summary>
    public static readonly Rule BuildFailed = new("SM8005", "Project does not build", Severity.Error);

    /// <summary>A recipe that is not constant can be evaluated.</summary>
    public static readonly Rule NotEvaluated = new("SM8006", "Recipe can't be evaluated", Severity.Error);

    /// <summary>A recipe in an assembly is the one that was compiled.</summary>
    public static readonly Rule HashDiffers = new("SM8007", "Recipe differs from its hash", Severity.Error);

    /// <summary>An option has a usable value.</summary>
    public static readonly Rule BadOption = new("SM8008", "Option not usable", Severity.Error);

    /// <summary>Files can be read and written.</summary>
    public static readonly Rule InputOutput = new("SM8009", "Reading or writing failed", Severity.Error);

    /// <summary>Smelt itself does not fail.</summary>
    public static readonly Rule Internal = new("SM8010", "Internal error", Severity.Error);

    /// <summary>A file is replaced only when that is asked for.</summary>
    public static readonly Rule FileExists = new("SM8011", "File exists", Severity.Error);

    /// <summary>A snapshot belongs to a recipe.</summary>
    public static readonly Rule DanglingSnapshot = new("SM8012", "Snapshot of no recipe", Severity.Warning);

    /// <summary>A build that tests its recipes finds the outputs that were verified.</summary>
    public static readonly Rule SnapshotDiffers = new("SM8013", "Output differs from its snapshot", Severity.Error);

    /// <summary>A rule to explain is one.</summary>
    public static readonly Rule UnknownRule = new("SM8020", "Unknown rule", Severity.Error);
}
