using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

[assembly: InternalsVisibleTo("Smelt.Merging.Tests")]
[assembly: InternalsVisibleTo("Smelt.Benchmarks")]

namespace Smelt.Merging.Kernels;

/// <summary>A loop that runs at any vector width.</summary>
internal interface IKernel
{
    /// <summary>Runs the loop with the lanes of <typeparamref name="TSimd"/>.</summary>
    void Run<TSimd>()
        where TSimd : unmanaged, ISimd<TSimd>;
}

/// <summary>A loop that runs at any vector width over values stored in any format of at most 32 bits.</summary>
internal interface IFormatKernel
{
    /// <summary>Runs the loop with the lanes of <typeparamref name="TSimd"/> over values stored as <typeparamref name="TFormat"/>.</summary>
    void Run<TSimd, TFormat>()
        where TSimd : unmanaged, ISimd<TSimd>
        where TFormat : IFormat;
}

/// <summary>The one place that chooses the vector width and the stored format of a kernel.</summary>
internal static class Simd
{
    /// <summary>Most elements of a chunk: the kernels that keep deltas between two loops do so for this many, which stay in the first-level cache.</summary>
    internal const int Chunk = 512;

    /// <summary>Most elements of a chunk where only one expert's deltas are looked at.</summary>
    internal const int LongChunk = 4 * Chunk;

    /// <summary>Distance, in elements, of two rows of a chunk buffer: one cache line more than a chunk, so that rows fall into different cache sets.</summary>
    internal const int Stride = Chunk + 16;

    /// <summary>Bits of a vector that this process can use: 512, 256, 128, or 32 for plain floats. DOTNET_EnableAVX512=0 and the like narrow it.</summary>
    internal static int WidestWidth { get; } =
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? 512
        : Vector256.IsHardwareAccelerated && Avx2.IsSupported ? 256
        : Vector128.IsHardwareAccelerated ? 128
        : 32;

    /// <summary>
    /// Bits of the vectors in use on this thread's kernels; the widest there is unless a test chose another.
    /// It never shows in a result, only in the time taken.
    /// </summary>
    internal static int Width
    {
        get => _override == 0 ? WidestWidth : _override;
        set => _override = value;
    }

    [ThreadStatic]
    private static int _override;

    /// <summary>Runs <paramref name="kernel"/> at <see cref="Width"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run<TKernel>(ref TKernel kernel)
        where TKernel : struct, IKernel
    {
        switch (Width)
        {
            case 512: kernel.Run<Simd512>(); break;
            case 256: kernel.Run<Simd256>(); break;
            case 128: kernel.Run<Simd128>(); break;
            default: kernel.Run<SimdScalar>(); break;
        }
    }

    /// <summary>Runs <paramref name="kernel"/> at <see cref="Width"/> for values stored as <paramref name="format"/>, which is not <see cref="FloatFormat.F64"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run<TKernel>(ref TKernel kernel, FloatFormat format)
        where TKernel : struct, IFormatKernel
    {
        switch (Width)
        {
            case 512: Run<TKernel, Simd512>(ref kernel, format); break;
            case 256: Run<TKernel, Simd256>(ref kernel, format); break;
            case 128: Run<TKernel, Simd128>(ref kernel, format); break;
            default: Run<TKernel, SimdScalar>(ref kernel, format); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TKernel, TSimd>(ref TKernel kernel, FloatFormat format)
        where TKernel : struct, IFormatKernel
        where TSimd : unmanaged, ISimd<TSimd>
    {
        switch (format)
        {
            case FloatFormat.BF16: kernel.Run<TSimd, Bf16>(); break;
            case FloatFormat.F16: kernel.Run<TSimd, F16>(); break;
            case FloatFormat.F32: kernel.Run<TSimd, F32>(); break;
            default: throw new ArgumentOutOfRangeException(nameof(format), format, "No kernel reads this format; widen it first.");
        }
    }
}
