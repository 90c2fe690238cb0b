using System.Runtime.InteropServices;
using Smelt.Recipes;

namespace Smelt.Merging.Kernels;

/// <summary>
/// Runs the kernels of a recipe's method once over zeros, so that they are compiled while the checkpoints' headers are read
/// and the merge is planned, on a core that has nothing to do then. Kernels are compiled where they run, for its vectors:
/// 30 to 100 ms of a merge that may itself take 300.
/// </summary>
/// <remarks>It goes by the formats that most models have, and by the four methods that most merges use; others compile as they go.</remarks>
public static unsafe class Rehearsal
{
    /// <summary>Enough that every loop runs: vectors, chunks, hash rounds, samples and lists.</summary>
    private const int Elements = 1 << 15;

    private const int Experts = 2;

    /// <summary>Starts it in the background; it ends by itself and never shows in a result.</summary>
    public static void Start(Recipe recipe)
    {
        if (Environment.ProcessorCount > 1)
            new Thread(() => Run(recipe)) { IsBackground = true, Name = "smelt-rehearsal" }.Start();
    }

    /// <summary>Starts the kernels that measure task vectors in the background, for a plan that has any, once it is known that they are measured.</summary>
    public static void StartStatistics(Planning.MergePlan plan)
    {
        if (Environment.ProcessorCount > 1 && Execution.StatisticsCollector.Applies(plan))
            new Thread(RunStatistics) { IsBackground = true, Name = "smelt-rehearsal" }.Start();
    }

    /// <summary>Runs the kernels that measure task vectors.</summary>
    internal static void RunStatistics()
    {
        using var zeros = new Zeros();
        var stored = zeros.Stored;
        var deltas = zeros.Floats;
        var expert = new ExpertBlock(stored);
        var experts = stackalloc ExpertBlock[Experts] { expert, expert };
        Deltas.Compute(stored, expert, 0, Simd.Chunk, deltas);
        var sum = default(BlockSum);
        sum.AddProducts(deltas, deltas, Simd.Chunk);
        Conflicts.Count(stored, experts, Experts, 0, Simd.Chunk);
    }

    /// <summary>Runs the kernels of a recipe's method.</summary>
    internal static void Run(Recipe recipe)
    {
        using var zeros = new Zeros();
        var stored = zeros.Stored;
        var mix = zeros.Floats;
        var hash = new BlockHash();
        hash.Begin(Elements * sizeof(ushort));
        hash.AppendFinite(stored, Elements);
        hash.End();
        switch (recipe.Resolve())
        {
            case Average:
                RunMix(stored, mix, withBase: false);
                break;
            case TaskArithmetic:
                RunMix(stored, mix, withBase: true);
                break;
            case SparseRecipe sparse and (Ties or IDare):
                RunSparse(sparse, stored, mix);
                break;
            default:
                return;
        }

        hash.Begin(Elements * sizeof(ushort));
        hash.Append(new ReadOnlySpan<byte>(stored.Data, Elements * sizeof(ushort)));
        hash.End();
    }

    private static void RunMix(RawBlock stored, float* mix, bool withBase)
    {
        var blocks = stackalloc RawBlock[Experts] { stored, stored };
        var weights = stackalloc float[Experts] { 1, 1 };
        if (withBase)
            Mix.TaskVectors(stored, blocks, weights, Experts, 1, Elements, mix);
        else
            Mix.Weighted(blocks, weights, Experts, Experts, Elements, mix);
        Write(stored, mix, withBase);
    }

    private static void RunSparse(SparseRecipe recipe, RawBlock stored, float* mix)
    {
        var elected = recipe as ElectedRecipe;
        var experts = stackalloc ExpertBlock[Experts] { new(stored), new(stored) };
        var bits = stackalloc ulong[Elements / 64];
        if (recipe is IDare)
        {
            Philox.Mask(default, 0, 0, Elements, Philox.Threshold24(0.5), bits);
            for (var i = 0; i < Experts; i++)
            {
                experts[i].Mask = bits;
                experts[i].Divisor = recipe.Rescale == Rescale.Inverse ? 0.5f : 1;
            }
        }

        if (recipe is TrimmedRecipe trimmed && recipe is not DareTies { TrimDensity: { IsSweep: false, Value: >= 1 } })
        {
            var search = new MagnitudeSearch(Elements, [Elements / 2], 1);
            for (var e = 0; e < Elements; e += Simd.Chunk)
            {
                Deltas.Compute(stored, experts[0], 0, Simd.Chunk, mix);
                search.AddSample(mix, Simd.Chunk);
            }

            while (!search.Done)
            {
                var tally = search.CreateTally();
                tally.Add(stored, experts[0], 0, Elements, 0);
                search.Finish(tally);
            }

            var rank = 1L;
            MagnitudeBits.LocateEqual(mix, Simd.Chunk, 0, ref rank);
            for (var i = 0; i < Experts; i++)
                experts[i].Keep = trimmed.Cut == Recipes.Cut.Exact ? new Cut(0, Elements / 2) : Cut.AtThreshold(0);
        }

        var election = new Election
        {
            Vote = elected is null or { Election: Recipes.Election.None } ? Vote.None : Vote.Sum,
            Weighted = elected?.Election != Recipes.Election.Unweighted,
            Combine = recipe.Normalize == true ? Combine.Mean : Combine.Sum,
        };
        if (recipe is Ties && Methods.OnePassTrim.Suits(recipe))
            RunOpen(stored, experts, election, mix);
        ElectionCounts counts;
        Sparse.Run(stored, experts, Experts, election, 0, Elements, mix, elected is { ZeroVote: Recipes.ZeroVote.Majority or Recipes.ZeroVote.MajorityOrNothing } ? &counts : null);
        Write(stored, mix, withBase: true);
    }

    /// <summary>What a trim in one pass runs besides.</summary>
    private static void RunOpen(RawBlock stored, ExpertBlock* experts, in Election election, float* mix)
    {
        var ranges = stackalloc MagnitudeRange[Experts] { OpenColumns.Nothing, OpenColumns.Nothing };
        var above = stackalloc long[Experts];
        var bits = stackalloc ulong[Elements / 64];
        new Span<ulong>(bits, Elements / 64).Clear();
        var marks = new OpenMarks { Ranges = ranges, Bits = bits, Above = above };
        FusedSparse.Run(stored, experts, Experts, election, 0, 0, Elements, mix, null, &marks);
        var sources = stackalloc RawBlock[] { stored };
        var places = stackalloc ushort[OpenColumns.Slack];
        var column = stackalloc ushort[OpenColumns.Slack];
        var columns = stackalloc void*[] { column };
        OpenColumns.Gather(sources, 1, sizeof(ushort), bits, Elements, 0, places, columns, 0, 0);

        var sample = new MagnitudeSample();
        var starts = new long[Elements / Simd.Chunk];
        for (var i = 0; i < starts.Length; i++)
        {
            starts[i] = i * Simd.Chunk;
            sample.Add(mix, Simd.Chunk);
        }

        Sparse.CountVotes(stored, experts, Experts, election, 0, Simd.Chunk);
        sample.TryPlaces(Elements / 2, Elements, starts, splitsEqual: true, out _);
        sample.Release();
        Span<uint> codes = stackalloc uint[2 * MagnitudeList.Slack];
        MagnitudeSelect.List(codes[..MagnitudeList.Slack], 0, 1, codes);
    }

    private static void Write(RawBlock stored, float* mix, bool withBase)
    {
        if (withBase)
            Apply.Affine(stored, mix, 1, Elements, stored);
        else
            Apply.Store(mix, Elements, stored);
    }

    /// <summary>Elements as models store them, and as many numbers; all zero.</summary>
    private readonly ref struct Zeros : IDisposable
    {
        private readonly byte* _memory = (byte*)NativeMemory.AllocZeroed(Elements, sizeof(float) + sizeof(ushort));

        public Zeros()
        {
        }

        public RawBlock Stored => new(_memory, FloatFormat.BF16);

        public float* Floats => (float*)(_memory + (Elements * sizeof(ushort)));

        public void Dispose() => NativeMemory.Free(_memory);
    }
}
