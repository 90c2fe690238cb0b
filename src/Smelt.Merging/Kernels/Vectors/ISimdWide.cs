namespace Smelt.Merging.Kernels;

/// <summary>A row of lanes whose register can also hold half as many doubles: for sums in fp64.</summary>
internal unsafe interface ISimdWide<TSelf> : ISimd<TSelf>
    where TSelf : unmanaged, ISimdWide<TSelf>
{
    /// <summary><paramref name="value"/> in every double.</summary>
    static abstract TSelf CreateDouble(double value);

    /// <summary>The lower half of the lanes as doubles.</summary>
    static abstract TSelf WidenLower(TSelf value);

    /// <summary>The upper half of the lanes as doubles.</summary>
    static abstract TSelf WidenUpper(TSelf value);

    /// <summary>a + b, as doubles.</summary>
    static abstract TSelf AddDoubles(TSelf a, TSelf b);

    /// <summary>a * b, as doubles.</summary>
    static abstract TSelf MultiplyDoubles(TSelf a, TSelf b);
}
