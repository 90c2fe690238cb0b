using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>The functions of balances: near to the exact values, and the same bits at every width.</summary>
public sealed unsafe class VectorMathTests
{
    [Fact]
    public void Functions_are_within_two_units_in_the_last_place()
    {
        var values = Enumerable.Range(-87_000, 175_000).Select(i => i / 1000f).Concat(Enumerable.Range(1, 4000).Select(i => MathF.ScaleB(1 + (i / 4000f), -(i % 120)))).ToArray();
        using var x = new Native<float>(values);
        using var exponential = new Native<float>(values.Length);
        using var tangent = new Native<float>(values.Length);
        byte[]? first = null;
        foreach (var width in Widths)
        {
            At(width, () =>
            {
                var kernel = new Kernel { X = x.Pointer, N = values.Length, Exponential = exponential.Pointer, Tangent = tangent.Pointer };
                Simd.Run(ref kernel);
            });
            for (var i = 0; i < values.Length; i++)
            {
                Near(Math.Exp(values[i]), exponential.Span[i], values[i]);
                Near(Math.Tanh(values[i]), tangent.Span[i], values[i]);
            }

            byte[] bytes = [.. System.Runtime.InteropServices.MemoryMarshal.AsBytes(exponential.Span), .. System.Runtime.InteropServices.MemoryMarshal.AsBytes(tangent.Span)];
            Assert.Equal(first ??= bytes, bytes);
        }
    }

    [Fact]
    public void Ends_are_kept()
    {
        using var x = new Native<float>([0f, -0f, float.PositiveInfinity, float.NegativeInfinity, 1e-45f, 1000, -1000, float.NaN]);
        using var exponential = new Native<float>(8);
        using var tangent = new Native<float>(8);
        var kernel = new Kernel { X = x.Pointer, N = 8, Exponential = exponential.Pointer, Tangent = tangent.Pointer };
        Simd.Run(ref kernel);
        double[] exponents = [0, 0, 88, -87, 0, 88, -87];
        for (var i = 0; i < exponents.Length; i++)
            Near(Math.Exp(exponents[i]), exponential.Span[i], x.Span[i]);
        Assert.Equal(float.NaN, exponential.Span[7]);
        Assert.Equal([0f, 0, 1, -1, 1e-45f, 1, -1, float.NaN], tangent.Span.ToArray());
    }

    private static void Near(double expected, float actual, float x)
    {
        var unit = Math.Max(MathF.BitIncrement((float)Math.Abs(expected)) - (double)(float)Math.Abs(expected), float.Epsilon);
        Assert.True(Math.Abs(expected - actual) <= 2 * unit, $"at {x:R}: {actual:R}, expected {expected:R}");
    }

    private struct Kernel : IKernel
    {
        internal float* X;
        internal nint N;
        internal float* Exponential;
        internal float* Tangent;

        public readonly void Run<TSimd>()
            where TSimd : unmanaged, ISimd<TSimd> => Loop<SimdScalar>(Loop<TSimd>(0));

        private readonly nint Loop<TSimd>(nint e)
            where TSimd : unmanaged, ISimd<TSimd>
        {
            for (; e <= N - TSimd.Count; e += TSimd.Count)
            {
                TSimd.Store(VectorMath.Exp(TSimd.Load(X + e)), Exponential + e);
                TSimd.Store(VectorMath.Tanh(TSimd.Load(X + e)), Tangent + e);
            }

            return e;
        }
    }
}
