using Smelt.Merging.Kernels;

namespace Smelt.Merging.Methods;

/// <summary>Interpolation on the unit sphere (Shoemake 1985).</summary>
internal static class Sphere
{
    /// <summary>
    /// The coefficients sin((1 - t) θ) / sin θ and sin(t θ) / sin θ for an angle θ of the given cosine; false where the
    /// cosine is 1 or -1 within fp32, so that no arc or no single one joins the ends.
    /// </summary>
    public static bool TryInterpolate(double cosine, double t, out double first, out double second)
    {
        (first, second) = (0, 0);
        if (Math.Abs((float)cosine) >= 1)
            return false;
        var angle = PortableMath.Acos(cosine);
        var sine = PortableMath.Sin(angle);
        (first, second) = (PortableMath.Sin((1 - t) * angle) / sine, PortableMath.Sin(t * angle) / sine);
        return true;
    }
}
