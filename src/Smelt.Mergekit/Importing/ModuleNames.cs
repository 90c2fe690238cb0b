namespace Smelt.Mergekit.Importing;

/// <summary>The tensors of mergekit's modules.</summary>
internal static class ModuleNames
{
    private const string Opening = "**.";
    private const string Closing = ".**";

    /// <summary>Modules whose tensors don't just have a segment of the module's name. A head belongs to its decoder.</summary>
    private static readonly (string Name, string Glob)[] Special =
    [
        ("text_decoder", Filters.AllTensors),
        ("default", Filters.AllTensors),
        ("vision_tower", "**.{vision_tower,vision_model,visual}.**"),
        ("decoder", "**.{decoder,lm_head,proj_out}.**"),
    ];

    /// <summary>The pattern for the tensors of a module.</summary>
    public static string ToGlob(string name) => Special.FirstOrDefault(s => s.Name == name).Glob ?? Opening + name + Closing;

    /// <summary>The module of a pattern; null where there is none.</summary>
    public static string? FromGlob(string glob) => Special.FirstOrDefault(s => s.Glob == glob).Name
        ?? (glob.StartsWith(Opening, StringComparison.Ordinal) && glob.EndsWith(Closing, StringComparison.Ordinal) && glob.Length > Opening.Length + Closing.Length
            && ToGlob(glob[Opening.Length..^Closing.Length]) == glob ? glob[Opening.Length..^Closing.Length] : null);
}
