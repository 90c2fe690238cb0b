using CsCheck;
using Smelt.Merging.Kernels;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>The places between which a threshold is looked for hold that of the sample itself, whatever its codes look like.</summary>
public unsafe class MagnitudeSampleTests
{
    private const int Page = 2048;

    public static TheoryData<string> Patterns => ["noise", "few values", "rising", "one group in four is large", "one value", "zeros"];

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Places_hold_the_threshold_of_the_sample(string pattern) =>
        Gen.Select(Gen.Int[4, 12], Gen.Double[0.02, 0.98], Gen.Bool, Gen.Int[0, 1000]).Sample(
            (pages, share, splitsEqual, seed) =>
            {
                var random = new Random(seed);
                var deltas = new float[pages * Page];
                for (var i = 0; i < deltas.Length; i++)
                {
                    deltas[i] = pattern switch
                    {
                        "noise" => random.NextSingle() - 0.5f,
                        "few values" => random.Next(-5, 6) / 8f,
                        "rising" => i,
                        "one group in four is large" => (i / 4 % 4 == 0 ? 1000 : 1) * (1 + random.NextSingle()),
                        "one value" => 0.25f,
                        _ => 0,
                    };
                }

                var sample = new MagnitudeSample();
                var starts = new long[pages];
                fixed (float* data = deltas)
                {
                    for (var page = 0; page < pages; page++)
                    {
                        starts[page] = page * 10L * Page;
                        sample.Add(data + (page * Page), Page);
                    }
                }

                var population = pages * 10L * Page;
                var rank = Math.Max(1, (long)(share * population));
                var found = sample.TryPlaces(rank, population, starts, splitsEqual, out var places);
                sample.Release();
                if (!found)
                    return pattern == "rising" || share < 0.1 || pages < 8;

                var codes = deltas.Select(d => BitConverter.SingleToInt32Bits(Math.Abs(d))).ToArray();
                var position = (rank - 0.5) / population * codes.Length;
                Assert.True(codes.Count(c => c > places.High) <= position);
                Assert.True(codes.Count(c => c >= places.Low) >= position);
                Assert.InRange(places.Low, 0, places.High);
                Assert.Equal(codes.Count(c => c == places.High), places.AtHigh * codes.Length, 3);
                return splitsEqual || (places.KeptTo == population && places.DroppedFrom == population);
            },
            iter: 60);
}
