using System.Diagnostics;
using System.Runtime.InteropServices;
using Smelt.Checkpoints;
using Smelt.Merging.Kernels;

namespace Smelt.Benchmarks;

/// <summary>
/// The kernels alone, on one core, over a sub-block that stays in the second-level cache: what a merge would take if reading
/// and writing cost nothing.
/// </summary>
internal sealed unsafe class KernelBenchmark : IDisposable
{
    private const int Elements = 1 << 15;
    private const int Experts = 8;
    private const int SubBlocks = 27;
    private const int Stored = Elements * sizeof(ushort);

    /// <summary>About a fifth of the benchmark's deltas are larger.</summary>
    private const float Threshold = 0.0006f;

    private readonly RawBlock[] _sources = new RawBlock[Experts + 1];
    private readonly byte* _memory;
    private readonly RawBlock _output;
    private readonly float* _mix;
    private readonly ulong* _mask;
    private readonly BlockHash _hash = new();

    private KernelBenchmark(string[] folders)
    {
        _memory = (byte*)NativeMemory.AlignedAlloc(((Experts + 2) * Stored) + (Elements * sizeof(float)) + (Elements / 8), 64);
        for (var i = 0; i <= Experts; i++)
        {
            using var file = File.OpenHandle(Path.Combine(folders[i], CheckpointFolder.SingleName));
            var source = _memory + (i * Stored);
            RandomAccess.Read(file, new Span<byte>(source, Stored), 1 << 20);
            _sources[i] = new RawBlock(source, FloatFormat.BF16);
        }

        _output = new RawBlock(_memory + ((Experts + 1) * Stored), FloatFormat.BF16);
        _mix = (float*)(_memory + ((Experts + 2) * Stored));
        _mask = (ulong*)(_mix + Elements);
    }

    /// <summary>Measures every kernel at every width that this machine has.</summary>
    public static void Run(Options options)
    {
        using var benchmark = new KernelBenchmark(ModelMaker.Make(ModelShape.Small, Experts, options.Root));
        var widths = new[] { 512, 256, 128 }.Where(w => w <= Simd.WidestWidth).ToArray();
        Console.WriteLine($"{Elements} elements of {Experts} experts in BF16, one core; ns per element of one expert by bits of a vector");
        Console.WriteLine($"| kernel |{string.Concat(widths.Select(w => $" {w} |"))}\n|---|{string.Concat(widths.Select(_ => "---|"))}");
        foreach (var (name, experts, body) in benchmark.Kernels().Where(k => options.Selects(k.Name)))
        {
            Console.Write($"| {name} |");
            foreach (var width in widths)
            {
                Simd.Width = width;
                Console.Write($" {Nanoseconds(body, options.Runs) / Elements / experts:F3} |");
            }

            Simd.Width = 0;
            Console.WriteLine();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_memory);

    /// <summary>The kernels, with the number of experts that each works on.</summary>
    private (string Name, int Experts, Action Body)[] Kernels() =>
    [
        ("hash, look for values that are not finite", 1, Hash),
        ("averaging", Experts, () => Average(withBase: false)),
        ("task arithmetic", Experts, () => Average(withBase: true)),
        ("random mask", 1, () => Philox.Mask(new PhiloxKey(1, 2), 3, 0, Elements, Philox.Threshold24(0.2), _mask)),
        ("masked, elected, combined", Experts, () => Elect(masked: true, counted: false)),
        ("trimmed, elected, combined", Experts, () => Elect(masked: false, counted: false)),
        ("trimmed, elected, counted, combined", Experts, () => Elect(masked: false, counted: true)),
        ("threshold: sample", SubBlocks, () => Search(count: false, find: false)),
        ("threshold: sample, count and list", SubBlocks, () => Search(count: true, find: false)),
        ("threshold: sample, count and list, find", SubBlocks, () => Search(count: true, find: true)),
    ];

    private void Hash()
    {
        _hash.Begin(Stored);
        _hash.AppendFinite(_sources[1], Elements);
        _hash.End();
    }

    private void Average(bool withBase)
    {
        var weights = stackalloc float[Experts];
        new Span<float>(weights, Experts).Fill(1);
        fixed (RawBlock* sources = _sources)
        {
            if (withBase)
            {
                Mix.TaskVectors(sources[0], sources + 1, weights, Experts, 1, Elements, _mix);
                Apply.Affine(sources[0], _mix, 0.5f, Elements, _output);
            }
            else
            {
                Mix.Weighted(sources + 1, weights, Experts, Experts, Elements, _mix);
                Apply.Store(_mix, Elements, _output);
            }
        }
    }

    private void Elect(bool masked, bool counted)
    {
        var experts = stackalloc ExpertBlock[Experts];
        for (var i = 0; i < Experts; i++)
        {
            experts[i] = masked
                ? new ExpertBlock(_sources[i + 1]) { Mask = _mask, Divisor = 0.2f }
                : new ExpertBlock(_sources[i + 1]) { Keep = new Cut(BitConverter.SingleToUInt32Bits(Threshold), Elements / 2) };
        }

        ElectionCounts counts;
        Sparse.Run(_sources[0], experts, Experts, new Election { Vote = Vote.Sum, Weighted = true, Combine = Combine.Mean }, 0, Elements, _mix, counted ? &counts : null);
        Apply.Affine(_sources[0], _mix, 1, Elements, _output);
    }

    /// <summary>A threshold of a tensor of <see cref="SubBlocks"/> sub-blocks, one page in 24 sampled.</summary>
    private void Search(bool count, bool find)
    {
        const long Population = SubBlocks * Elements;
        var search = new MagnitudeSearch(Population, [Population / 5], 1);
        for (var page = 0; page < Population / Simd.LongChunk / 24; page++)
        {
            var e = page * Simd.LongChunk % Elements;
            Deltas.Compute(_sources[0].From(e), new ExpertBlock(_sources[1].From(e)), e, Simd.LongChunk, _mix);
            search.AddSample(_mix, Simd.LongChunk);
        }

        var tally = search.CreateTally();
        for (var i = 0; count && i < SubBlocks; i++)
            tally.Add(_sources[0], new ExpertBlock(_sources[1]), 0, Elements, 0);
        if (find)
            search.Finish(tally);
    }

    private static double Nanoseconds(Action body, int runs)
    {
        const int AtOnce = 10;
        var best = double.PositiveInfinity;
        for (var run = 0; run < 20 * runs; run++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < AtOnce; i++)
                body();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / AtOnce);
        }

        return best;
    }
}
