namespace Smelt.Targets;

/// <summary>
/// Fills a field or a property of a build, or of a component, from the command line (<c>--output-folder DIR</c>), else the
/// environment (<c>SMELT_OUTPUT_FOLDER</c>), else the file <c>.smelt/parameters.json</c> (<c>"OutputFolder": "DIR"</c>).
/// Without one of these a member keeps the value that it is declared with. A component has a property instead:
/// <c>[Parameter] string? OutputFolder => TryGetValue(() => OutputFolder);</c>
/// </summary>
/// <param name="description">What it is, in one line, for <c>--help</c>.</param>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property)]
public sealed class ParameterAttribute(string description = "") : Attribute
{
    /// <summary>What it is, in one line.</summary>
    public string Description { get; } = description;

    /// <summary>Whether what targets produce depends on it; where it does not (threads, say), a change leaves targets up to date.</summary>
    public bool AffectsOutput { get; init; } = true;
}
