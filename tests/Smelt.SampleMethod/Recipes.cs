namespace Smelt.SampleMethod;

/// <summary>A recipe of the method, constant, so that it is folded when it is compiled.</summary>
[Recipe("clipped")]
public static partial class Clipped
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new Clip { Base = Folder("base"), Experts = [new(Folder("a")) { Weight = 0.5 }, Folder("b")], Limit = Sweep(1, 3), Beyond = Beyond.Zero };
}

/// <summary>The same, with a number that only its code knows.</summary>
[Recipe("computed")]
public static partial class Computed
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new Clip { Base = Folder("base"), Experts = [new(Folder("a")) { Weight = 0.5 }, Folder("b")], Limit = Math.Sqrt(4) };
}

/// <summary>A recipe of one of Smelt's own methods.</summary>
[Recipe("plain")]
public static partial class Plain
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new Average { Experts = [Folder("a"), Folder("b")] };
}
