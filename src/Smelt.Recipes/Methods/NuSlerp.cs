namespace Smelt.Recipes;

/// <summary>
/// Spherical interpolation of two experts by their weights (mergekit's nuslerp): t = w_1 / (w_0 + w_1), 0.5 where the
/// weights cancel; out = (sin((1 - t) θ) v_0 + sin(t θ) v_1) / sin θ. With a base, v_i = x_i - b and the base is added
/// again; without one, v_i = x_i. Parallel and antiparallel vectors are interpolated linearly.
/// </summary>
[Method("nuslerp", "the spherical interpolation of two experts by their weights")]
public sealed record NuSlerp : Recipe
{
    /// <summary>
    /// Whether a tensor is one vector; true unless given. Else it is many: rows, or columns with <see cref="ColumnWise"/>.
    /// </summary>
    [Slot("whether a tensor is one vector; else it is one for each row or column")]
    public bool? Flatten { get; init; }

    /// <summary>
    /// Whether vectors run along the first dimension instead of the last (mergekit calls this row-wise); false unless
    /// given. Has an effect only where <see cref="Flatten"/> is false.
    /// </summary>
    [Slot("whether vectors run along the first dimension instead of the last; only without flatten")]
    public bool? ColumnWise { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => false;

    /// <inheritdoc/>
    public override bool UsesBase => Base is not null;

    /// <inheritdoc/>
    public override int FewestExperts => 2;

    /// <inheritdoc/>
    public override int MostExperts => 2;

    /// <inheritdoc/>
    public override Recipe Resolve() => (NuSlerp)base.Resolve() with
    {
        Flatten = Flatten ?? true,
        ColumnWise = ColumnWise ?? false,
    };
}
