namespace SmeltRecipes;

/// <summary>The models; put the folders of your own in here, or name models of the hub with Hub("owner/name").</summary>
internal static class Models
{
    /// <summary>What the experts were fine-tuned from.</summary>
    public static readonly Model Base = Folder("models/base");

    /// <summary>The experts.</summary>
    public static readonly Expert[] Experts = [Folder("models/expert-a"), Folder("models/expert-b")];
}

/// <summary>The plain average of the experts.</summary>
[Recipe("average")]
public static partial class Mean
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new Average { Base = Models.Base, Experts = [.. Models.Experts] };
}

/// <summary>TIES: the largest fifth of each expert's changes, where the experts agree on the sign; at three strengths.</summary>
[Recipe("ties")]
public static partial class TiesOfExperts
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new Ties
    {
        Base = Models.Base,
        Experts = [.. Models.Experts],
        Density = 0.2,
        Lambda = Sweep(0.5, 0.75, 1.0),
    };
}
