namespace Smelt.Merging.Kernels;

/// <summary>A switch that the JIT knows: a loop compiled for <see cref="No"/> has no trace of the step.</summary>
internal interface IFlag
{
    /// <summary>Whether the step is there.</summary>
    static abstract bool Value { get; }
}

/// <summary>The step is there.</summary>
internal readonly struct Yes : IFlag
{
    /// <inheritdoc/>
    public static bool Value => true;
}

/// <summary>The step is not there.</summary>
internal readonly struct No : IFlag
{
    /// <inheritdoc/>
    public static bool Value => false;
}
