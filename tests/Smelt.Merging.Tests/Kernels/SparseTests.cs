using System.Runtime.InteropServices;
using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>The TIES family against a loop that does one element at a time, as the formulas are written.</summary>
public sealed unsafe partial class SparseTests
{
    public static TheoryData<int> AllWidths => [.. Widths];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Every_election_and_combination_has_the_bits_of_the_plain_loop(int width)
    {
        var random = new Random(20);
        foreach (var vote in Enum.GetValues<Vote>())
        {
            foreach (var combine in Enum.GetValues<Combine>())
            {
                foreach (var zeroVote in Enum.GetValues<ZeroVote>())
                {
                    foreach (var (weighted, other) in new[] { (false, false), (true, false), (false, true), (true, true) })
                    {
                        var election = new Election
                        {
                            Vote = vote,
                            Combine = combine,
                            ZeroVote = zeroVote,
                            Weighted = weighted,
                            SignsAll = other && vote != Vote.None,
                            SkipsZeros = other && vote == Vote.None,
                        };
                        foreach (var n in new[] { 17, 700 })
                        {
                            using var scene = new Scene(random, n, random.Next(1, 6), Formats[..3], ones: random.Next(3) == 0);
                            scene.Check(width, election);
                        }
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Every_length_and_every_step_of_the_deltas(int width)
    {
        var random = new Random(21);
        foreach (var n in Lengths)
        {
            foreach (var mask in new[] { false, true })
            {
                foreach (var trim in new[] { 0, 1, 2 })
                {
                    foreach (var rest in new[] { false, true })
                    {
                        if (n == 65535 && !(mask && trim == 1))
                            continue;

                        using var scene = new Scene(random, n, 3, Formats, ones: true, mask, trim, rest, flatStart: 4096 * random.Next(3));
                        scene.Check(width, new Election { Vote = Vote.Sum, Combine = Combine.Mean });
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void The_fused_loop_has_the_bits_of_the_plain_loop(int width)
    {
        var random = new Random(26);
        foreach (var steps in FusedSteps)
        {
            foreach (var election in FusedElections)
            {
                foreach (var format in Formats[..3])
                {
                    foreach (var n in new[] { 64, 700, 4097 })
                    {
                        using var scene = new Scene(random, n, random.Next(1, 9), [format], ones: random.Next(3) == 0, mask: steps.Mask, trim: steps.Cut ? 1 : 0, flatStart: 4096, alike: true);
                        scene.Take(steps);
                        Assert.True(scene.IsFused(election), $"{steps} {election}");
                        scene.Check(width, election);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Open_elements_are_marked_gathered_and_the_kept_ones_counted(int width)
    {
        var random = new Random(27);
        foreach (var format in Formats[..3])
        {
            const int n = 640;
            const int count = 3;
            using var scene = new Scene(random, n, count, [format], ones: false, alike: true);
            scene.CheckOpen(width, random);
        }
    }

    /// <summary>What may be done to all experts' deltas so that the fused loop does it.</summary>
    private readonly record struct Steps(bool Mask, bool Cut, bool Divide, bool Back, bool Scale);

    private static readonly Steps[] FusedSteps =
    [
        new(false, false, false, false, false), new(false, true, false, false, false), new(false, false, false, false, true),
        new(true, false, false, false, false), new(true, false, true, false, false), new(true, false, true, true, false), new(true, false, false, false, true),
        new(true, true, false, false, false), new(true, true, true, false, false), new(true, true, true, true, false),
    ];

    private static readonly Election[] FusedElections =
    [
        new() { Vote = Vote.None, Weighted = true, Combine = Combine.Sum },
        .. from combine in new[] { Combine.Sum, Combine.Mean }
           from zeroVote in Enum.GetValues<ZeroVote>()
           from weighted in new[] { false, true }
           select new Election { Vote = Vote.Sum, Weighted = weighted, Combine = combine, ZeroVote = zeroVote },
    ];

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Sixty_four_experts_work(int width)
    {
        using var scene = new Scene(new Random(22), 1100, Mix.MaxInputs, [FloatFormat.BF16], ones: false, mask: true, trim: 1);
        scene.Check(width, new Election { Vote = Vote.Sum, Weighted = true, Combine = Combine.Mean });
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void All_zero_deltas_make_plus_zeros(int width)
    {
        const int n = 100;
        using var raw = new Native<float>(Values(new Random(23), n));
        using var mix = new Native<float>(n);
        foreach (var zeroVote in Enum.GetValues<ZeroVote>())
        {
            foreach (var combine in Enum.GetValues<Combine>())
            {
                At(width, () =>
                {
                    var block = new RawBlock(raw.Pointer, FloatFormat.F32);
                    var experts = stackalloc ExpertBlock[] { new(block) { Weight = 2 }, new(block) { Weight = 3 } };
                    Sparse.Run(block, experts, 2, new Election { Vote = Vote.Sum, ZeroVote = zeroVote, Combine = combine }, 0, n, mix.Pointer);
                    Assert.Equal(default, Sparse.CountVotes(block, experts, 2, new Election { Vote = Vote.Sum }, 0, n));
                });
                AssertSame(new float[n], mix.Span, $"{zeroVote} {combine}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void A_cut_takes_the_lowest_flat_indices_of_equals(int width)
    {
        const int n = 300;
        using var zeros = new Native<float>(new float[n]);
        using var ones = new Native<float>([.. Enumerable.Repeat(-1f, n)]);
        using var deltas = new Native<float>(n);
        foreach (var last in new long[] { 999, 1000, 1001, 1063, 1064, 1150, 1299, 1300, long.MaxValue })
        {
            At(width, () =>
            {
                var expert = new ExpertBlock(new RawBlock(ones.Pointer, FloatFormat.F32)) { Keep = new Cut((uint)Bits(1), last) };
                Deltas.Compute(new RawBlock(zeros.Pointer, FloatFormat.F32), expert, 1000, n, deltas.Pointer);
            });
            for (var e = 0; e < n; e++)
                Assert.Equal(1000 + e <= last ? -1 : 0, deltas.Span[e]);
        }
    }

    [Theory]
    [MemberData(nameof(AllWidths))]
    public void Cutting_a_tensor_into_sub_blocks_changes_no_bit(int width)
    {
        var random = new Random(24);
        using var scene = new Scene(random, 20_000, 3, Formats[..3], ones: false, mask: true, trim: 2, rest: true);
        var election = new Election { Vote = Vote.Count, Combine = Combine.Mean };
        using var whole = new Native<float>(scene.Length);
        using var parts = new Native<float>(scene.Length);
        At(width, () =>
        {
            scene.Run(election, 0, scene.Length, whole.Pointer);
            for (var start = 0; start < scene.Length; start += 4096)
                scene.Run(election, start, Math.Min(4096, scene.Length - start), parts.Pointer + start);
        });
        AssertSame(whole.Span.ToArray(), parts.Span, "in parts");
    }
}
