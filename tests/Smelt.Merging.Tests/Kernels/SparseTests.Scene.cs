using System.Runtime.InteropServices;
using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <content>Experts, and what a plain loop makes of them.</content>
public sealed unsafe partial class SparseTests
{
    /// <summary>Random experts with their switches, and what they should give.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly List<IDisposable> _memory = [];
        private readonly RawBlock _base;
        private readonly float[] _baseValues;
        private readonly ExpertBlock[] _experts;
        private readonly float[][] _values;
        private readonly long _flatStart;
        private readonly Native<float> _given;

        internal Scene(
            Random random, int n, int count, FloatFormat[] formats, bool ones,
            bool mask = false, int trim = 0, bool rest = false, long flatStart = 0, bool alike = false)
        {
            Length = n;
            _flatStart = flatStart;
            _base = Store(Values(random, n, 50), formats[random.Next(formats.Length)], out _baseValues);
            _given = new Native<float>([.. Enumerable.Range(0, n).Select(_ => (float)random.Next(-1, 2))]);
            _memory.Add(_given);
            _experts = new ExpertBlock[count];
            _values = new float[count][];
            for (var i = 0; i < count; i++)
            {
                var near = Near(random, _baseValues, 50);

                // Some columns cancel exactly.
                for (var e = 0; e < n && i % 2 == 1; e += 5)
                    near[e] = _baseValues[e] - (_values[i - 1][e] - _baseValues[e]);

                var expert = new ExpertBlock(Store(near, formats[random.Next(formats.Length)], out _values[i]));
                expert.Weight = ones ? 1 : (float)(random.NextDouble() - (i == 0 ? 0 : 0.2));
                expert.Norm = (float)random.NextDouble() + 0.1f;
                if (mask && (alike || random.Next(4) != 0))
                {
                    var words = new ulong[(n + 63) / 64];
                    for (var w = 0; w < words.Length; w++)
                        words[w] = (ulong)random.NextInt64() | ((ulong)random.NextInt64() << 20);

                    var native = new Native<ulong>(words);
                    _memory.Add(native);
                    expert.Mask = native.Pointer;
                }

                if (rest)
                {
                    expert.Divisor = random.Next(2) == 0 ? 1 : 0.3f;
                    expert.WriteBack = random.Next(2) == 0;
                    expert.Ratio = random.Next(2) == 0 ? 1 : 1.7f;
                    expert.Origin = (Origin)random.Next(3);
                    expert.Floor = n == 0 || random.Next(2) == 0 ? -1 : SomeCut(random, i).Below(0);
                    if (random.Next(2) == 0)
                        (expert.Center, expert.Spread) = (0.001f, random.Next(8) == 0 ? float.NaN : (float)random.NextDouble() * 0.01f);
                }

                if (n > 0 && trim > 0)
                    expert.Keep = SomeCut(random, i);
                if (n > 0 && trim > 1)
                    expert.Drop = SomeCut(random, i);
                if (n > 0 && trim > 0 && random.Next(2) == 0)
                    expert.KeepFrom = _flatStart + random.Next(n);

                _experts[i] = expert;
            }
        }

        internal int Length { get; }

        /// <summary>Gives all experts the same steps, with numbers of their own; cuts lie below infinity.</summary>
        internal void Take(Steps steps)
        {
            for (var i = 0; i < _experts.Length; i++)
            {
                ref var expert = ref _experts[i];
                expert.Divisor = steps.Divide ? 0.2f + (0.3f * (i % 3)) : 1;
                expert.WriteBack = steps.Back;
                expert.Ratio = steps.Scale ? 1.7f + i : 1;
                expert.Keep = expert.Keep == Cut.All ? Cut.All : expert.Keep with { Bits = Math.Min(expert.Keep.Bits, 0x7F7FFFFF) };
            }
        }

        /// <summary>Marks elements of ranges, and contested ones where votes are counted, gathers their columns, and compares with a look at each element.</summary>
        internal void CheckOpen(int width, Random random)
        {
            var size = _base.Format.Size();
            var ranges = new MagnitudeRange[_experts.Length];
            for (var i = 0; i < ranges.Length; i++)
            {
                var low = Bits(0.005f * (1 + random.Next(4)));
                ranges[i] = i == 2 ? OpenColumns.Nothing with { High = low } : new MagnitudeRange(low, 1 << 22, low + (1 << 22));
                _experts[i].Keep = new Cut((uint)ranges[i].High, -1);
            }

            using var marks = new Native<ulong>(new ulong[Length / 64]);
            using var above = new Native<long>(new long[ranges.Length]);
            using var over = new Native<long>(new long[ranges.Length]);
            using var listed = new Native<ushort>(Length);
            using var mixes = new Native<float>(Length);
            var tops = ranges.Select(r => r.High + (1 << 20)).ToArray();
            var counted = random.Next(2) == 0;
            var zeroVotes = 0;
            using var mix = new Native<float>(Length);
            using var indices = new Native<ushort>(Length + OpenColumns.Slack);
            var rows = Enumerable.Range(0, ranges.Length + 1).Select(_ => new Native<byte>((Length + OpenColumns.Slack) * size)).ToArray();
            var sources = new RawBlock[] { _base }.Concat(_experts.Select(e => e.Values)).ToArray();
            var gathered = 0;
            At(width, () =>
            {
                var columns = stackalloc void*[rows.Length];
                for (var s = 0; s < rows.Length; s++)
                    columns[s] = rows[s].Pointer;
                fixed (ExpertBlock* pointer = _experts)
                fixed (MagnitudeRange* range = ranges)
                fixed (RawBlock* source = sources)
                fixed (int* top = tops)
                {
                    var election = new Election { Vote = Vote.Sum, Weighted = true, Combine = Combine.Mean };
                    ElectionCounts counts = default, countsOfMarked = default;
                    var contested = new ContestedList { Indices = listed.Pointer, Mixes = mixes.Pointer };
                    FusedSparse.Run(_base, pointer, _experts.Length, election, 0, 0, Length, mix.Pointer, &counts, null, &contested);
                    zeroVotes = counted ? contested.Count : 0;
                    var open = new OpenMarks { Ranges = range, Bits = marks.Pointer, Above = above.Pointer, Tops = top, Over = over.Pointer };
                    FusedSparse.Run(_base, pointer, _experts.Length, election, 0, 0, Length, mix.Pointer, counted ? &countsOfMarked : null, &open);
                    Assert.Equal(counted ? counts : default, countsOfMarked);
                    var needed = OpenColumns.Gather(source, rows.Length, size, marks.Pointer, Length, 5, indices.Pointer, columns, 0, 3);
                    gathered = OpenColumns.Gather(source, rows.Length, size, marks.Pointer, Length, 5, indices.Pointer, columns, 0, Length);
                    Assert.Equal(needed, gathered);
                }
            });

            var expected = new List<int>();
            var kept = new long[ranges.Length];
            var aboveTop = new long[ranges.Length];
            var votesOfZero = listed.Span[..zeroVotes].ToArray().ToHashSet();
            for (var e = 0; e < Length; e++)
            {
                var codes = ranges.Select((_, i) => Bits(_values[i][e] - _baseValues[e]) & int.MaxValue).ToArray();
                for (var i = 0; i < codes.Length; i++)
                {
                    kept[i] += codes[i] > ranges[i].High ? 1 : 0;
                    aboveTop[i] += codes[i] > tops[i] ? 1 : 0;
                }

                if (votesOfZero.Contains((ushort)e) || codes.Select((c, i) => c >= ranges[i].Low && (long)c <= (long)ranges[i].Low + ranges[i].Span).Any(inside => inside))
                    expected.Add(e);
            }

            Assert.NotEmpty(expected);
            Assert.Equal(kept, above.Span.ToArray());
            Assert.Equal(aboveTop, over.Span.ToArray());
            Assert.Equal(expected.Select(e => (ushort)(e + 5)), indices.Span[..gathered].ToArray());
            for (var s = 0; s < rows.Length; s++)
            {
                var stored = new ReadOnlySpan<byte>(sources[s].Data, Length * size).ToArray();
                Assert.Equal(expected.SelectMany(e => stored[(e * size)..((e + 1) * size)]), rows[s].Span[..(gathered * size)].ToArray());
                rows[s].Dispose();
            }
        }

        internal bool IsFused(Election election)
        {
            fixed (ExpertBlock* pointer = _experts)
                return FusedSparse.Fits(_base, pointer, _experts.Length, election);
        }

        internal void Run(Election election, int start, int n, float* mix)
        {
            var experts = (ExpertBlock[])_experts.Clone();
            for (var i = 0; i < experts.Length; i++)
            {
                experts[i].Values = experts[i].Values.From(start);
                if (experts[i].Mask is not null)
                    experts[i].Mask += start / 64;
            }

            fixed (ExpertBlock* pointer = experts)
                Sparse.Run(_base.From(start), pointer, experts.Length, election, _flatStart + start, n, mix, null, Given(election, start));
        }

        private float* Given(Election election, int start) => election.Vote == Vote.Given ? _given.Pointer + start : null;

        internal void Check(int width, Election election)
        {
            var deltas = new float[_experts.Length][];
            for (var i = 0; i < _experts.Length; i++)
                deltas[i] = ExpectedDeltas(_experts[i], _values[i]);

            using var mix = new Native<float>(Length);
            using var ours = new Native<float>(Length);
            var votes = default(ElectionCounts);
            var conflicts = default(ConflictCounts);
            At(width, () =>
            {
                Run(election, 0, Length, mix.Pointer);
                for (var i = 0; i < _experts.Length; i++)
                {
                    Deltas.Compute(_base, _experts[i], _flatStart, Length, ours.Pointer);
                    AssertDeltas(deltas[i], ours.Span);
                }

                fixed (ExpertBlock* pointer = _experts)
                {
                    votes = Sparse.CountVotes(_base, pointer, _experts.Length, election, _flatStart, Length, Given(election, 0));
                    conflicts = Conflicts.Count(_base, pointer, _experts.Length, _flatStart, Length);
                    var counts = new ElectionCounts(1, 2, 3);
                    Sparse.Run(_base, pointer, _experts.Length, election, _flatStart, Length, ours.Pointer, &counts, Given(election, 0));
                    Assert.Equal(new ElectionCounts(1, 2, 3) + (election.Vote == Vote.None ? default : votes), counts);
                    Assert.True(MemoryMarshal.AsBytes(mix.Span).SequenceEqual(MemoryMarshal.AsBytes(ours.Span)));
                }
            });
            AssertSame(ExpectedMix(deltas, election, out var expectedVotes), mix.Span, $"{election}, {Length} elements, width {width}");
            CheckAgreeing(width, deltas, election);
            Assert.Equal(ExpectedConflicts(deltas), conflicts);
            if (election.Vote != Vote.None)
                Assert.Equal(expectedVotes, votes);
        }

        /// <summary>Chunks of what agrees add up to what the election keeps.</summary>
        private void CheckAgreeing(int width, float[][] deltas, Election election)
        {
            var rows = stackalloc float[(_experts.Length + 1) * Simd.Stride];
            for (var start = 0; start < Length; start += Simd.Chunk)
            {
                var n = Math.Min(Length - start, Simd.Chunk);
                var e = start;
                At(width, () =>
                {
                    fixed (ExpertBlock* pointer = _experts)
                        Sparse.Agreeing(_base, pointer, _experts.Length, election, _flatStart, e, n, rows, null, Given(election, 0));
                });
                for (var c = 0; c < n; c++)
                {
                    var (vote, _) = ExpectedVote(deltas, election, start + c);
                    var elected = Elected(election, vote);
                    for (var i = 0; i < _experts.Length; i++)
                    {
                        var voice = election.Weighted ? deltas[i][start + c] * _experts[i].Weight : deltas[i][start + c];
                        var expected = election.Vote == Vote.None ? voice
                            : float.IsNaN(vote) ? float.NaN
                            : (elected > 0 && voice > 0) || (elected < 0 && voice < 0) ? voice : 0;
                        var actual = rows[(i * Simd.Stride) + c];
                        Assert.True(expected == actual || (float.IsNaN(expected) && float.IsNaN(actual)), $"{election}: expert {i} at {start + c} is {actual:R}, expected {expected:R}");
                    }
                }
            }
        }

        public void Dispose() => _memory.ForEach(m => m.Dispose());

        private RawBlock Store(float[] values, FloatFormat format, out float[] stored)
        {
            var raw = new Native<byte>(Encode(values, format));
            _memory.Add(raw);
            stored = Decode(raw.Span, format);
            return new RawBlock(raw.Pointer, format);
        }

        private Cut SomeCut(Random random, int i)
        {
            var e = random.Next(Length);
            var magnitude = Math.Abs(_values[i][e] - _baseValues[e]);
            var bits = float.IsNaN(magnitude) ? 0x7FC00000u : (uint)Bits(magnitude);
            return random.Next(3) switch
            {
                0 => Cut.AtThreshold(bits),
                1 => new Cut(bits, -1),
                _ => new Cut(bits, _flatStart + random.Next(Length)),
            };
        }

        private float[] ExpectedDeltas(ExpertBlock expert, float[] values)
        {
            var deltas = new float[Length];
            for (var e = 0; e < Length; e++)
            {
                var d = expert.Origin == Origin.Delta ? values[e] - _baseValues[e] : values[e];
                if (expert.Floor >= 0 && !InTop(new Cut((uint)expert.Floor, -1), d, e))
                    d = 0;
                if (expert.Mask is not null && (expert.Mask[e / 64] >> (e % 64) & 1) == 0)
                    d = 0;
                if (expert.Divisor != 1)
                    d /= expert.Divisor;
                if (expert.Origin == Origin.Weights)
                {
                    d -= _baseValues[e];
                }
                else if (expert.WriteBack && expert.Origin == Origin.Delta)
                {
                    var written = _baseValues[e] + d;
                    d = written - _baseValues[e];
                }

                if ((!InTop(expert.Keep, d, e) && _flatStart + e < expert.KeepFrom) || InTop(expert.Drop, d, e))
                    d = 0;
                if (expert.HasBand && (float.IsNaN(expert.Spread) || Math.Abs(d - expert.Center) <= expert.Spread))
                    d = 0;
                if (expert.Ratio != 1)
                    d *= expert.Ratio;

                deltas[e] = d;
            }

            return deltas;
        }

        private bool InTop(Cut cut, float d, int e)
        {
            var bits = float.IsNaN(d) ? 0x7FC00000u : (uint)Bits(Math.Abs(d));
            return bits > cut.Bits || (bits == cut.Bits && _flatStart + e <= cut.LastEqual);
        }

        private static int Elected(Election election, float vote) =>
            vote > 0 ? 1 : vote < 0 ? -1 : election.ZeroVote switch { ZeroVote.Positive => 1, ZeroVote.Negative => -1, _ => 0 };

        private (float Vote, bool NonZero) ExpectedVote(float[][] deltas, Election election, int e)
        {
            var vote = 0f;
            var nonZero = false;
            var largest = 0f;
            for (var i = 0; i < deltas.Length; i++)
            {
                var voice = election.Weighted ? deltas[i][e] * _experts[i].Weight : deltas[i][e];
                var quotient = voice / _experts[i].Norm;
                nonZero |= voice != 0;
                if (election.Vote == Vote.NormFraction && (Math.Abs(quotient) > largest || (float.IsNaN(quotient) && !float.IsNaN(largest))))
                    (vote, largest) = (quotient, Math.Abs(quotient));
                else if (election.Vote == Vote.NormMass)
                    vote += quotient * Math.Abs(quotient);
                else if (election.Vote is Vote.Sum or Vote.None || float.IsNaN(voice))
                    vote += voice;
                else if (election.Vote == Vote.Count)
                    vote += Math.Sign(voice);
            }

            return (election.Vote == Vote.Given && !float.IsNaN(vote) ? _given.Span[e] : vote, nonZero);
        }

        private float[] ExpectedMix(float[][] deltas, Election election, out ElectionCounts counts)
        {
            var mix = new float[Length];
            long positive = 0, negative = 0, contested = 0;
            var all = 0f;
            foreach (var expert in _experts)
                all += expert.Weight;
            if (Math.Abs(all) < 1e-8f)
                all = 1;

            for (var e = 0; e < Length; e++)
            {
                var (vote, nonZero) = ExpectedVote(deltas, election, e);
                positive += vote > 0 ? 1 : 0;
                negative += vote < 0 ? 1 : 0;
                contested += vote == 0 && nonZero ? 1 : 0;

                var elected = Elected(election, vote);
                var sum = 0f;
                var weights = 0f;
                var best = 0f;
                for (var i = 0; i < deltas.Length; i++)
                {
                    var weighted = deltas[i][e] * _experts[i].Weight;
                    var voice = election.Weighted ? weighted : deltas[i][e];
                    var agrees = election.Vote == Vote.None || election.SignsAll || (elected > 0 && voice > 0) || (elected < 0 && voice < 0);
                    if (!agrees)
                        continue;

                    sum += weighted;
                    weights += election.SkipsZeros && voice == 0 ? 0 : _experts[i].Weight;
                    if (!float.IsNaN(best) && (float.IsNaN(weighted) || Math.Abs(weighted) > Math.Abs(best)))
                        best = weighted;
                }

                var result = election.Combine switch
                {
                    Combine.Max => best,
                    Combine.Median => Median([.. deltas.Select((d, i) => d[e] * _experts[i].Weight)]),
                    Combine.Sum => sum,
                    _ when (election.Vote == Vote.None && !election.SkipsZeros) || election.SignsAll => sum / all,
                    _ => sum / (weights == 0 ? 1 : weights),
                };
                if (election.SignsAll)
                    result = elected == 0 ? 0 : (Math.Abs(result) * elected) + 0f;
                mix[e] = election.Vote != Vote.None && float.IsNaN(vote) ? float.NaN : result;
            }

            counts = new ElectionCounts(positive, negative, contested);
            return mix;
        }

        private static float Median(float[] values) =>
            values.Any(float.IsNaN) ? float.NaN : values.Order().ElementAt((values.Length - 1) / 2) + 0f;

        private static ConflictCounts ExpectedConflicts(float[][] deltas)
        {
            long shared = 0, opposed = 0;
            for (var e = 0; e < deltas[0].Length; e++)
            {
                var signs = deltas.Select(d => float.IsNaN(d[e]) ? 0 : Math.Sign(d[e])).ToList();
                shared += signs.Count(s => s != 0) >= 2 ? 1 : 0;
                opposed += signs.Contains(1) && signs.Contains(-1) ? 1 : 0;
            }

            return new ConflictCounts(shared, opposed);
        }

        private static void AssertDeltas(float[] expected, Span<float> actual)
        {
            for (var e = 0; e < expected.Length; e++)
            {
                if (float.IsNaN(expected[e]) ? !float.IsNaN(actual[e]) : Bits(expected[e]) != Bits(actual[e]))
                    Assert.Fail($"delta {e} is {actual[e]:R}, expected {expected[e]:R}");
            }
        }
    }
}
