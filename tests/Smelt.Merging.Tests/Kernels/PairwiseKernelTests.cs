using System.Runtime.InteropServices;
using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>The kernels of methods on angles and elements give the same bits at every vector width, up to their last element.</summary>
public sealed unsafe class PairwiseKernelTests
{
    private const int Experts = 3;

    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void A_width_never_shows(int width)
    {
        foreach (var n in Lengths)
        {
            var expected = Run(32, n);
            var actual = Run(width, n);
            for (var i = 0; i < expected.Count; i++)
                Assert.True(expected[i].AsSpan().SequenceEqual(actual[i]), $"result {i} of {n} elements");
        }
    }

    /// <summary>The bytes of every kernel's results.</summary>
    private static List<byte[]> Run(int width, int n)
    {
        var random = new Random(n);
        var results = new List<byte[]>();
        using var values = new Native<float>(Values(random, n * (Experts + 1), 200));
        using var weights = new Native<float>(Values(random, 2 * n));
        using var mix = new Native<float>(n);
        using var sums = new Native<double>(n * InnerProducts.Pairs(Experts));
        using var mask = new Native<ulong>((n + 63) / 64);
        var factors = stackalloc float[Experts] { 1.5f, 0.25f, -1 };
        var counts = stackalloc long[2 * Experts];
        var blocks = stackalloc RawBlock[Experts + 1];
        for (var i = 0; i <= Experts; i++)
            blocks[i] = new RawBlock(values.Pointer + (i * n), FloatFormat.F32);
        var (memory, experts) = ((nint)blocks, (nint)(blocks + 1));
        var (factor, count) = ((nint)factors, (nint)counts);
        At(width, () =>
        {
            var b = *(RawBlock*)memory;
            var x = (RawBlock*)experts;
            void Add(Action run)
            {
                run();
                results.Add(MemoryMarshal.AsBytes(mix.Span).ToArray());
            }

            Add(() => NearMix.Run(b, x[0], 0.5f, n, mix.Pointer));
            Add(() => Changes.Mix(b, x, Experts, 0.3f, (float*)factor, n, mix.Pointer));
            Add(() => Selection.Median(x, Experts, n, mix.Pointer));
            Add(() => Selection.Median((RawBlock*)memory, Experts + 1, n, mix.Pointer));
            Add(() => Extrapolation.Run(b, 0.3f, n, mix.Pointer));
            Add(() => Selection.Largest(x, Experts, n, mix.Pointer));
            Add(() => Variances.Compute(b, x, Experts, n, mix.Pointer));
            CutMask.Write(mix.Pointer, new Cut((uint)Bits(0.5f), n / 2), Cut.None, 0, n, mask.Pointer);
            results.Add(MemoryMarshal.AsBytes(mask.Span).ToArray());
            Add(() => Importance.Scores(b, x[0], 0.7f, n, mix.Pointer));
            Add(() => Importance.Choose(b, x[0], 0.7f, 0.4f, n, mix.Pointer));
            Add(() => PairMix.Run((RawBlock*)memory, x[0], x[1], weights.Pointer, weights.Pointer + n, n, mix.Pointer));
            Add(() => PairMix.Run(null, x[0], x[1], weights.Pointer, weights.Pointer + n, n, mix.Pointer));

            Changes.Count(b, x, Experts, 0.3f, n, (long*)count);
            sums.Span.Clear();
            InnerProducts.AddEach(null, x, Experts, 0, n, sums.Pointer, n);
            InnerProducts.AddEach((RawBlock*)memory, x, Experts, 0, n, sums.Pointer, n);
        });
        results.Add(new ReadOnlySpan<byte>(counts, 2 * Experts * sizeof(long)).ToArray());

        // A NaN of a sum that was never totalled may keep the payload of either operand.
        results.Add(MemoryMarshal.AsBytes(sums.Span.ToArray().Select(v => double.IsNaN(v) ? double.NaN : v).ToArray().AsSpan()).ToArray());
        return results;
    }
}
