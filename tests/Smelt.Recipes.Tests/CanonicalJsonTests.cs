using System.Globalization;
using System.Text.Json;
using CsCheck;
using Smelt.Recipes.Configuration;

namespace Smelt.Recipes.Tests;

/// <summary>RFC 8785: numbers as in its appendix B, strings, and the order of keys.</summary>
public class CanonicalJsonTests
{
    [Theory]
    [InlineData(0x0000000000000000, "0")]
    [InlineData(0x8000000000000000, "0")]
    [InlineData(0x0000000000000001, "5e-324")]
    [InlineData(0x8000000000000001, "-5e-324")]
    [InlineData(0x7fefffffffffffff, "1.7976931348623157e+308")]
    [InlineData(0x4340000000000000, "9007199254740992")]
    [InlineData(0x4430000000000000, "295147905179352830000")]
    [InlineData(0x44b52d02c7e14af5, "9.999999999999997e+22")]
    [InlineData(0x44b52d02c7e14af6, "1e+23")]
    [InlineData(0x444b1ae4d6e2ef4e, "999999999999999700000")]
    [InlineData(0x444b1ae4d6e2ef50, "1e+21")]
    [InlineData(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7")]
    [InlineData(0x3eb0c6f7a0b5ed8d, "0.000001")]
    [InlineData(0x41b3de4355555553, "333333333.3333332")]
    [InlineData(0x41b3de4355555557, "333333333.33333343")]
    [InlineData(0xbecbf647612f3696, "-0.0000033333333333333333")]
    [InlineData(0x43143ff3c1cb0959, "1424953923781206.2")]
    public void Numbers_are_those_of_the_standard(ulong bits, string text) =>
        Assert.Equal(text, CanonicalJson.Number(BitConverter.UInt64BitsToDouble(bits)));

    [Fact]
    public void Numbers_read_back_the_same() => Gen.Double.Where(double.IsFinite).Sample(value =>
        double.Parse(CanonicalJson.Number(value), CultureInfo.InvariantCulture) == value, iter: 20_000);

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void What_is_no_number_of_JSON_is_refused(double value) => Assert.Throws<ArgumentException>(() => CanonicalJson.Number(value));

    [Fact]
    public void Strings_are_escaped_where_they_must_be_and_nowhere_else()
    {
        Assert.Equal("\"\\u000f\\n\\t\\b\\f\\r\\\"\\\\/\u007f\u2028€😀\"", CanonicalJson.Write("\u000f\n\t\b\f\r\"\\/\u007f\u2028€😀"));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Write("\ud83d"));
    }

    [Fact]
    public void Strings_read_back_the_same() => Gen.String.Where(s => s.All(c => !char.IsSurrogate(c))).Sample(s =>
        JsonSerializer.Deserialize<string>(CanonicalJson.Write(s)) == s);

    [Fact]
    public void Keys_are_sorted_by_UTF_16_code_units()
    {
        var map = new Dictionary<string, object> { ["\ufb33"] = 1, ["😀"] = 2, ["€"] = 3, ["1"] = 4, ["\r"] = 5, ["ö"] = 6 };
        Assert.Equal("{\"\\r\":5,\"1\":4,\"ö\":6,\"€\":3,\"😀\":2,\"\ufb33\":1}", CanonicalJson.Write(map));
    }

    [Fact]
    public void The_hash_is_SHA_256() =>
        Assert.Equal("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", CanonicalJson.Sha256("{}"));
}
