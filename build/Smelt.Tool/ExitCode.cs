namespace Smelt.Tool;

/// <summary>What the process returns. Of several results the largest counts.</summary>
internal enum ExitCode
{
    /// <summary>Everything was done.</summary>
    Done = 0,

    /// <summary>The work failed.</summary>
    Failed = 1,

    /// <summary>The command line, a recipe or a model is wrong.</summary>
    BadInput = 2,

    /// <summary>A signal stopped the work.</summary>
    Interrupted = 130,
}
