namespace Smelt.Tool.Output;

/// <summary>The version of this build.</summary>
internal static class ToolVersion
{
    /// <summary>The version as three numbers.</summary>
    public static string Text { get; } = typeof(ToolVersion).Assembly.GetName().Version!.ToString(3);
}
