using CsCheck;
using Smelt.Merging.Kernels;

namespace Smelt.Merging.Tests.Kernels;

/// <summary>Within a few units in the last place of the platform's functions, and the same bits everywhere.</summary>
public class PortableMathTests
{
    private static void Near(double expected, double actual, double ulps, double absolute = 0)
    {
        var allowed = Math.Max(absolute, ulps * (Math.BitIncrement(Math.Abs(expected)) - Math.Abs(expected)));
        Assert.InRange(actual, expected - allowed, expected + allowed);
    }

    [Fact]
    public void Exponentials_and_logarithms_are_accurate()
    {
        Gen.Double[-700, 700].Sample(x => Near(Math.Exp(x), PortableMath.Exp(x), 4));
        Gen.Double[-300, 300].Sample(e => Near(Math.Log(Math.Pow(10, e)), PortableMath.Log(Math.Pow(10, e)), 4));
        Gen.Double[0.5, 2].Sample(x => Near(Math.Log(x), PortableMath.Log(x), 4));
        Assert.Equal([0, 1, 0, double.PositiveInfinity], new[] { PortableMath.Exp(-800), PortableMath.Exp(0), PortableMath.Log(1), PortableMath.Exp(710) });
    }

    [Fact]
    public void Angles_are_accurate()
    {
        Gen.Double[-20, 20].Sample(x =>
        {
            Near(Math.Sin(x), PortableMath.Sin(x), 4, 1e-15);
            Near(Math.Cos(x), PortableMath.Cos(x), 4, 1e-15);
        });
        Gen.Double[-1, 1].Sample(x => Near(Math.Acos(x), PortableMath.Acos(x), 8));
        Assert.Equal([0, Math.PI], new[] { PortableMath.Acos(1), PortableMath.Acos(-1) });
        Assert.Equal([0, 1], new[] { PortableMath.Sin(0), PortableMath.Cos(0) });
    }
}
