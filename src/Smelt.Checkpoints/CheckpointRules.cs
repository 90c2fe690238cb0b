using Smelt.Recipes.Rules;

namespace Smelt.Checkpoints;

/// <summary>The rules that models on disk follow.</summary>
public static class CheckpointRules
{
    /// <summary>A model's folder or file is there.</summary>
    public static readonly Rule NotFound = new("SM6001", "Model not found", Severity.Error);

    /// <summary>A model's folder holds safetensors.</summary>
    public static readonly Rule NoWeights = new("SM6002", "Folder without safetensors", Severity.Error);

    /// <summary>A safetensors file follows its format.</summary>
    public static readonly Rule BadFile = new("SM6003", "Not a valid safetensors file", Severity.Error);

    /// <summary>A shard index follows its format.</summary>
    public static readonly Rule BadIndex = new("SM6004", "Not a valid shard index", Severity.Error);

    /// <summary>A shard index and its shards agree.</summary>
    public static readonly Rule IndexDiffers = new("SM6005", "Shard index and shards disagree", Severity.Error);

    /// <summary>A shard index names files of its own folder.</summary>
    public static readonly Rule OutsideFolder = new("SM6006", "Shard outside the folder", Severity.Error);

    /// <summary>A shard index states the right size.</summary>
    public static readonly Rule WrongTotal = new("SM6007", "Total size in the index is wrong", Severity.Warning);

    /// <summary>Single file and index lie side by side.</summary>
    public static readonly Rule TwoForms = new("SM6008", "Single file beside an index", Severity.Warning);

    /// <summary>A hub model is in the local cache.</summary>
    public static readonly Rule NotCached = new("SM6009", "Hub model not in the local cache", Severity.Error);

    /// <summary>An input stays as it was planned.</summary>
    public static readonly Rule Changed = new("SM6010", "Input changed", Severity.Error);

    /// <summary>An input can be read.</summary>
    public static readonly Rule Unreadable = new("SM6011", "Input can't be read", Severity.Error);

    /// <summary>config.json and tokenizer_config.json are JSON.</summary>
    public static readonly Rule BadConfig = new("SM6012", "config.json or tokenizer_config.json not readable", Severity.Error);
}
