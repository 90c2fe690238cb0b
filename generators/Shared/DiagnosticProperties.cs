namespace Smelt.Generators;

/// <summary>What the analyzer tells the code fixes beside a diagnostic's place and message.</summary>
internal static class DiagnosticProperties
{
    /// <summary>The JSON pointer of the part of the recipe that breaks the rule.</summary>
    public const string Pointer = "pointer";

    /// <summary>There where the place is the part's own expression, so that it can be replaced or removed.</summary>
    public const string Exact = "exact";

    /// <summary>What could stand there instead.</summary>
    public const string Replacement = "replacement";
}
