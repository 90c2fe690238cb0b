using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>IEEE binary32, as it is.</summary>
internal readonly unsafe struct F32 : IFormat
{
    /// <inheritdoc/>
    public static FloatFormat Format => FloatFormat.F32;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Load<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Load((float*)source + index);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TSimd First, TSimd Second) LoadPair<TSimd>(void* source, nint index)
        where TSimd : unmanaged, ISimd<TSimd> => (Load<TSimd>(source, index), Load<TSimd>(source, index + TSimd.Count));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd>(TSimd value, void* destination, nint index)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Store(Canonical.Of(value), (float*)destination + index);
}
