namespace Smelt.Recipes;

/// <summary>
/// SCE: select the elements in which task vectors vary most, calculate weights from their energy, erase minority signs (Wan et
/// al. 2024, "FuseChat"). out = b + Σ w_i d_i / Σ w_i per element, both sums over the experts whose d_i, selected, has the
/// sign of the unweighted Σ d_i; w_i is the expert's mean square over the tensor, of selected elements, over the sum of all.
/// </summary>
/// <remarks>
/// Selected are the trunc(k p) largest variances over the experts, k the number of variances that are not zero; lowest flat
/// index first among equals. Where all task vectors are zero the weights are alike; mergekit makes them so wherever the mean
/// squares sum to less than 1e-6, as those of fine-tuned models often do (<see cref="SmallestEnergy"/>).
/// </remarks>
[Method("sce", "task vectors weighted by energy where they vary most, with elected signs")]
public sealed record Sce : Recipe
{
    /// <summary>The fraction of elements selected, 0 to 1; 1, all, unless given.</summary>
    [Slot("the fraction of elements selected", Min = 0, Max = 1)]
    public Scalar? SelectTopK { get; init; }

    /// <summary>
    /// The sum of mean squares below which all experts weigh alike, 0 and more; 0 unless given. mergekit has 1e-6.
    /// </summary>
    [Slot("the sum of mean squares below which all experts weigh alike", Min = 0)]
    public Scalar? SmallestEnergy { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override bool UsesWeights => false;

    /// <inheritdoc/>
    public override Recipe Resolve() => (Sce)base.Resolve() with
    {
        SelectTopK = SelectTopK ?? 1,
        SmallestEnergy = SmallestEnergy ?? 0,
    };
}
