using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>How many of the elements that equal a threshold are in the top.</summary>
internal enum TrimEdge
{
    /// <summary>As many as the rank says, the lowest flat indices first.</summary>
    Exact,

    /// <summary>All.</summary>
    Equals,

    /// <summary>None.</summary>
    Above,
}

/// <summary>A place in the order of magnitudes, largest first.</summary>
/// <param name="Rank">The k of the k-th largest magnitude; 0 for a place before all elements, <see cref="long.MaxValue"/> for one after all.</param>
/// <param name="Edge">Which of the elements that equal it are in the top.</param>
internal readonly record struct TrimBound(long Rank, TrimEdge Edge)
{
    /// <summary>Nothing is in the top.</summary>
    public static TrimBound None => default;

    /// <summary>Everything is in the top.</summary>
    public static TrimBound All => new(long.MaxValue, TrimEdge.Equals);

    /// <summary>The cut of a bound that needs no search; null where it needs one.</summary>
    public Kernels.Cut? Known => Rank <= 0 ? Kernels.Cut.None : Rank == long.MaxValue ? Kernels.Cut.All : null;

    /// <summary>The top k of n, exactly.</summary>
    public static TrimBound Top(long k, long n) => k <= 0 ? None : k >= n ? All : new TrimBound(k, TrimEdge.Exact);
}

/// <summary>What a trim keeps: the top of one bound without the top of another.</summary>
/// <param name="Keep">What is kept.</param>
/// <param name="Drop">What is dropped all the same: outliers.</param>
internal readonly record struct TrimBounds(TrimBound Keep, TrimBound Drop)
{
    /// <summary>Digits to which 1 - density is rounded, so that 1 - 0.9 is 0.1.</summary>
    private const int Digits = 15;

    /// <summary>Everything is kept.</summary>
    public static TrimBounds All => new(TrimBound.All, TrimBound.None);

    /// <summary>The bounds of a rule for n elements and density p.</summary>
    public static TrimBounds Of(Recipes.Cut rule, double density, long n)
    {
        if (density >= 1)
            return All;
        switch (rule)
        {
            case Recipes.Cut.Exact or Recipes.Cut.Share:
                // A share is turned into a number of elements first; see ShareRanks.
                return new(density <= 0 ? TrimBound.None : new TrimBound(Math.Max(1, (long)(density * n)), TrimEdge.Exact), TrimBound.None);
            case Recipes.Cut.AtThreshold:
                // The (n - trunc(p n))-th smallest is the (trunc(p n) + 1)-th largest.
                return new(new TrimBound(Math.Min(n, (long)(density * n) + 1), TrimEdge.Equals), TrimBound.None);
            default:
                return FromSmallest(density, n, TrimEdge.Equals);
        }
    }

    /// <summary>What is above the trunc((1 - p) n)-th smallest magnitude, equal ones included or not.</summary>
    public static TrimBounds FromSmallest(double density, long n, TrimEdge edge)
    {
        var order = (long)(Math.Round(1 - density, Digits) * n);
        return order == 0 ? All : new(new TrimBound(n - order + 1, edge), TrimBound.None);
    }

    /// <summary>
    /// Without the trunc(g n) largest, and of the others the trunc(p n) largest: exactly so many, as long as there are; the
    /// density comes before the outliers.
    /// </summary>
    public static TrimBounds OfOutliers(double density, double gamma, long n)
    {
        if (density >= 1)
            return All;
        var target = (long)(density * n);
        var bottom = Math.Max(0, n - target - (long)(gamma * n));
        return new(TrimBound.Top(n - bottom, n), TrimBound.Top(n - bottom - target, n));
    }
}

/// <summary>Task vectors that are cut by magnitude, and where.</summary>
internal interface ITrimmed
{
    /// <summary>The groups.</summary>
    IReadOnlyList<MixGroup> Groups { get; }

    /// <summary>Whether all groups cut the same deltas, so that they share searches.</summary>
    bool SharesDeltas { get; }

    /// <summary>Over what a group takes thresholds; null where it looks for none.</summary>
    TrimScope? ExtentOf(MixGroup group);

    /// <summary>The share of the squares that is kept of an expert's deltas, where the group trims by shares; else null.</summary>
    double? ShareOf(MixGroup group, TensorPlan tensor, int expert);

    /// <summary>Where the deltas of an expert are cut, of so many elements.</summary>
    TrimBounds BoundsOf(MixGroup group, TensorPlan tensor, int expert, long elements);

    /// <summary>The pipeline of an expert up to where it is cut, for a sub-block that the worker has read.</summary>
    ExpertBlock Untrimmed(Worker worker, SubBlock part, MixGroup group, int expert);
}
