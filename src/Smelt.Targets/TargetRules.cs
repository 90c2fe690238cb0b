using Smelt.Recipes.Rules;

namespace Smelt.Targets;

/// <summary>What can be wrong with a build or with its command line.</summary>
public static class TargetRules
{
    /// <summary>A target on the command line is one of the build.</summary>
    public static readonly Rule UnknownTarget = new("SM8101", "Unknown target", Severity.Error);

    /// <summary>An option is one of the engine or a parameter of the build.</summary>
    public static readonly Rule UnknownParameter = new("SM8102", "Unknown parameter", Severity.Error);

    /// <summary>A value can be read as what its parameter is.</summary>
    public static readonly Rule BadValue = new("SM8103", "Parameter value not usable", Severity.Error);

    /// <summary>What a target requires is there.</summary>
    public static readonly Rule Missing = new("SM8104", "Requirement of a target not met", Severity.Error);

    /// <summary>Targets can be put into an order.</summary>
    public static readonly Rule Circle = new("SM8105", "Targets in a circle", Severity.Error);

    /// <summary>A build's targets and parameters are told apart by their names.</summary>
    public static readonly Rule BadDefinition = new("SM8106", "Target not defined soundly", Severity.Error);

    /// <summary>The file of parameters is JSON and names parameters.</summary>
    public static readonly Rule BadFile = new("SM8107", "Parameters file not readable", Severity.Error);

    /// <summary>A run can go on only with the parameters that it began with.</summary>
    public static readonly Rule CannotContinue = new("SM8108", "Run can't be continued", Severity.Error);
}
