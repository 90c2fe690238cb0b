using System.IO.Hashing;
using Smelt.Merging.Kernels;
using static Smelt.Merging.Tests.Kernels.KernelData;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>The hash of a block against the library's, and the look for values that are not finite.</summary>
public sealed unsafe class BlockHashTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(240)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(2048)]
    [InlineData(8192)]
    [InlineData(8192 + 64)]
    [InlineData(131_072)]
    public void Hash_is_the_library_s_at_every_width_however_cut(int length)
    {
        using var bytes = new Native<byte>(length);
        new Random(length).NextBytes(bytes.Span);
        var expected = XxHash128.HashToUInt128(bytes.Span);
        foreach (var width in Widths)
        {
            foreach (var part in new[] { 1024, 4096, 1 << 20 })
            {
                At(width, () =>
                {
                    var hash = new BlockHash();
                    for (var again = 0; again < 2; again++)
                    {
                        hash.Begin(length);
                        for (var offset = 0; offset < length; offset += part)
                            hash.Append(bytes.Span.Slice(offset, Math.Min(part, length - offset)));
                        Assert.Equal(expected, hash.End());
                    }
                });
            }
        }
    }

    [Theory]
    [InlineData((int)FloatFormat.BF16, 1)]
    [InlineData((int)FloatFormat.BF16, 1e4f)]
    [InlineData((int)FloatFormat.F16, 1)]
    [InlineData((int)FloatFormat.F16, 1e4f)]
    [InlineData((int)FloatFormat.F32, 1)]
    [InlineData((int)FloatFormat.F32, 1e4f)]
    [InlineData((int)FloatFormat.F64, 1)]
    public void First_value_that_is_not_finite_is_found_wherever_it_is(int number, float most)
    {
        // Where none is as large as 2, a look at one bit of each is enough.
        var format = (FloatFormat)number;
        float[] Some(int n) => [.. Values(new Random(n), n).Select(v => MathF.IEEERemainder(v, 2) * most)];
        foreach (var n in new[] { 1, 63, 512, 4096, 4097 })
        {
            using var finite = new Native<byte>(Encode(Some(n), format));
            var expected = XxHash128.HashToUInt128(finite.Span);
            foreach (var width in Widths)
            {
                At(width, () =>
                {
                    var hash = new BlockHash();
                    hash.Begin(finite.Length);
                    Assert.Equal(-1, hash.AppendFinite(new RawBlock(finite.Pointer, format), n));
                    Assert.Equal(expected, hash.End());
                });
                foreach (var place in new[] { 0, n / 3, n - 1 })
                {
                    foreach (var value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
                    {
                        var values = Some(n);
                        values[place] = value;
                        using var bad = new Native<byte>(Encode(values, format));
                        At(width, () =>
                        {
                            var hash = new BlockHash();
                            hash.Begin(bad.Length);
                            Assert.Equal(place, hash.AppendFinite(new RawBlock(bad.Pointer, format), n));
                        });
                    }
                }
            }
        }
    }

    [Fact]
    public void A_block_that_is_not_all_there_has_no_hash()
    {
        var hash = new BlockHash();
        hash.Begin(2048);
        hash.Append(new byte[1024]);
        Assert.Throws<InvalidOperationException>(() => hash.End());
    }
}
