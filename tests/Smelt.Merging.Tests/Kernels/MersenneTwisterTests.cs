using Smelt.Merging.Kernels;
using Smelt.Merging.Methods;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>The stream of MT19937, from any place on.</summary>
public sealed unsafe class MersenneTwisterTests
{
    /// <summary>The generator as its authors describe it, a word at a time.</summary>
    internal static IEnumerable<uint> Words(uint seed)
    {
        var x = new List<uint> { seed };
        for (var i = 1u; i < 624; i++)
            x.Add((1812433253 * (x[^1] ^ (x[^1] >> 30))) + i);
        for (var i = 0; ; i++)
        {
            var y = (x[i] & 0x80000000) | (x[i + 1] & 0x7FFFFFFF);
            x.Add(x[i + 397] ^ (y >> 1) ^ (y % 2 == 0 ? 0 : 0x9908B0DF));
            y = x[^1];
            y ^= y >> 11;
            y ^= (y << 7) & 0x9D2C5680;
            y ^= (y << 15) & 0xEFC60000;
            yield return y ^ (y >> 18);
        }
    }

    [Fact]
    public void The_published_word_comes_ten_thousandth()
    {
        Assert.Equal([3499211612u, 4123659995u], [Words(5489).First(), Words(5489).ElementAt(9999)]);
        var draw = 0u;
        var twister = new MersenneTwister(5489);
        twister.Skip(9999);
        twister.Draw24(&draw, 1);
        Assert.Equal(4123659995u & 0xFFFFFF, draw);
    }

    [Fact]
    public void Runs_of_all_lengths_follow_one_another()
    {
        var expected = Words(7).Take(20_000).Select(w => w & 0xFFFFFF).ToArray();
        var twister = new MersenneTwister(7);
        var random = new Random(1);
        var draws = stackalloc uint[2000];
        for (var at = 0; at < 15_000;)
        {
            var skipped = random.Next(3) * random.Next(1300);
            var count = random.Next(1, 2000);
            twister.Skip(skipped);
            twister.Draw24(draws, count);
            at += skipped;
            Assert.Equal(expected.Skip(at).Take(count), new ReadOnlySpan<uint>(draws, count).ToArray());
            at += count;
        }
    }

    [Fact]
    public void Any_place_of_a_stream_is_found_in_any_order()
    {
        const int total = 4_000_000;
        var expected = Words(42).Take(total).Select(w => w & 0xFFFFFF).ToArray();
        var stream = new SerialDraws(42, total);
        var readers = new[] { stream.Open(), stream.Open() };
        var random = new Random(3);
        var draws = stackalloc uint[500];
        foreach (var start in Enumerable.Range(0, 60).Select(_ => random.Next(total - 500)).Prepend(total - 500).Append(0).Append(1681 * 624).Append((1681 * 624) - 1))
        {
            var count = random.Next(1, 500);
            readers[random.Next(2)].Read(start, draws, count);
            Assert.Equal(expected.AsSpan(start, count).ToArray(), new ReadOnlySpan<uint>(draws, count).ToArray());
        }
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(1L << 20)]
    [InlineData(1L << 36)]
    [InlineData(1L << 44)]
    public void Marks_take_a_bounded_memory(long total) => Assert.InRange(SerialDraws.Bytes(total), 1, 12L << 20);
}
