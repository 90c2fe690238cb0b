using System.Runtime.CompilerServices;

namespace Smelt.Merging.Kernels;

/// <summary>Any stored format to fp32.</summary>
internal static unsafe class Widen
{
    /// <summary>
    /// destination[e] = (float)source[e] for e in [0, <paramref name="n"/>). Exact but for F64, which is rounded to nearest even.
    /// Every NaN becomes canonical.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ToSingle(RawBlock source, nint n, float* destination)
    {
        if (source.Format == FloatFormat.F64)
        {
            Narrow((double*)source.Data, n, destination);
            return;
        }

        var kernel = new Kernel { Source = source.Data, Destination = destination, Elements = n };
        Simd.Run(ref kernel, source.Format);
    }

    /// <summary>destination[e] = (double)source[e], exactly; every NaN becomes canonical.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ToDouble(float* source, nint n, double* destination)
    {
        for (nint e = 0; e < n; e++)
            destination[e] = float.IsNaN(source[e]) ? BitConverter.UInt64BitsToDouble(0x7FF8000000000000) : source[e];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(double* source, nint n, float* destination)
    {
        for (nint e = 0; e < n; e++)
            destination[e] = double.IsNaN(source[e]) ? BitConverter.Int32BitsToSingle(Canonical.NaN) : (float)source[e];
    }

    private struct Kernel : IFormatKernel
    {
        internal void* Source;
        internal float* Destination;
        internal nint Elements;

        public readonly void Run<TSimd, TFormat>()
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat =>
            Loop<SimdScalar, TFormat>(Source, Destination, Loop<TSimd, TFormat>(Source, Destination, 0, Elements), Elements);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static nint Loop<TSimd, TFormat>(void* source, float* destination, nint e, nint n)
            where TSimd : unmanaged, ISimd<TSimd>
            where TFormat : IFormat
        {
            for (; e <= n - TSimd.Count; e += TSimd.Count)
                F32.Store(TFormat.Load<TSimd>(source, e), destination, e);

            return e;
        }
    }
}
