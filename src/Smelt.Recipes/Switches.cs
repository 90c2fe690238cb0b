namespace Smelt.Recipes;

/// <summary>The number format in which an output's merged tensors are stored.</summary>
public enum DType
{
    /// <summary>bfloat16: 8 bits of exponent, 7 of fraction.</summary>
    BF16,

    /// <summary>IEEE half: 5 bits of exponent, 10 of fraction.</summary>
    F16,

    /// <summary>IEEE single.</summary>
    F32,

    /// <summary>IEEE double. Sums are still taken in single precision.</summary>
    F64,
}

/// <summary>Sets of switches as the two worlds define them; every switch stays overridable.</summary>
public enum Profile
{
    /// <summary>The papers' repositories (TIES, DARE): whole-model trim, unweighted vote, majority for zero votes.</summary>
    Paper,

    /// <summary>mergekit: trim per tensor, weighted vote, positive for zero votes.</summary>
    Mergekit,
}

/// <summary>Over what magnitudes are compared and a threshold is taken.</summary>
public enum TrimScope
{
    /// <summary>Each tensor of each expert has a threshold of its own.</summary>
    Tensor,

    /// <summary>Each expert has one threshold over all its merged parameters (Yadav et al. 2023).</summary>
    Model,

    /// <summary>
    /// Each row of each tensor, along its last dimension, has a threshold of its own; a vector is one row (Davari and
    /// Belilovsky 2023). For <see cref="Breadcrumbs"/> alone.
    /// </summary>
    Row,
}

/// <summary>Along which dimension the rows of a tensor run in which magnitudes are ranked; a vector is one row.</summary>
public enum RowAxis
{
    /// <summary>The last (DELLA's repository).</summary>
    Last,

    /// <summary>The second: of a matrix the last, of tensors with more dimensions one in the middle (mergekit).</summary>
    Second,
}

/// <summary>Which magnitudes a trim keeps, for n elements and density p.</summary>
public enum Cut
{
    /// <summary>Exactly trunc(p n), at least one where p > 0; of equal magnitudes the lowest flat index first.</summary>
    Exact,

    /// <summary>Everything at least as large as the (n - trunc(p n))-th smallest magnitude, equal ones included (TIES repository).</summary>
    AtThreshold,

    /// <summary>Everything at least as large as the trunc((1 - p) n)-th smallest magnitude, equal ones included (MergeLM).</summary>
    MaskRate,

    /// <summary>
    /// The fewest largest whose squares add up to p of the sum of all squares, of equal magnitudes the lowest flat index
    /// first; and always the vector's last element (TIES repository, 'nf').
    /// </summary>
    Share,

    /// <summary>
    /// What lies more than <see cref="TrimmedRecipe.Deviations"/> standard deviations (n - 1) from the vector's mean; the
    /// density plays no part (TIES repository, 'std').
    /// </summary>
    Deviation,
}

/// <summary>Which elements DARE drops.</summary>
public enum Drop
{
    /// <summary>Each with a probability of 1 - density (Yu et al. 2024).</summary>
    Random,

    /// <summary>
    /// Of the n elements of each tensor the trunc((1 - density) n) of the smallest magnitudes, and all that equal the largest
    /// of them (MergeLM's 'magnitude').
    /// </summary>
    Smallest,
}

/// <summary>How the kept part of a randomly thinned task vector is rescaled.</summary>
public enum Rescale
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Divided by the density (DARE paper, Yu et al. 2024); by the element's own keep probability where that differs (DELLA).</summary>
    Inverse,

    /// <summary>Multiplied so that the L1 norm stays; not at all where either norm is under 1e-7 (mergekit).</summary>
    L1,
}

/// <summary>How the sign of an element is elected among the experts.</summary>
public enum Election
{
    /// <summary>No election: all experts agree.</summary>
    None,

    /// <summary>The sign of the sum of the weighted, trimmed deltas (mergekit).</summary>
    Sum,

    /// <summary>The sign of the sum of the trimmed deltas without their weights (TIES paper, 'mass').</summary>
    Unweighted,

    /// <summary>The sign that more experts have.</summary>
    Count,

    /// <summary>The sign of the delta with the largest share d² / |d|² of its own trimmed vector; the first on ties (TIES repository, 'normfrac').</summary>
    NormFraction,

    /// <summary>The sign of the sum of sign(d) d² / |d|², |d| the norm of the trimmed vector (TIES repository, 'normmass').</summary>
    NormMass,

    /// <summary>The signs of the values in <see cref="ElectedRecipe.SignFile"/> (TIES repository, 'oracle').</summary>
    SignFile,
}

/// <summary>What happens where an election sums to zero.</summary>
public enum ZeroVote
{
    /// <summary>Counts as positive (mergekit).</summary>
    Positive,

    /// <summary>Takes the sign that the whole model elected more often; if that is zero too, the negative deltas are kept (TIES repository).</summary>
    Majority,

    /// <summary>Takes the sign that the whole model elected more often; if that is zero too, nothing is kept (MergeLM).</summary>
    MajorityOrNothing,

    /// <summary>Keeps nothing.</summary>
    Nothing,

    /// <summary>Counts as negative (TIES repository, for signs from a file).</summary>
    Negative,
}

/// <summary>How agreeing deltas become one.</summary>
public enum Combine
{
    /// <summary>Their weighted sum; with Normalize divided by the sum of the agreeing weights.</summary>
    Sum,

    /// <summary>The one of the largest magnitude; the first on ties.</summary>
    Max,

    /// <summary>
    /// The point of each tensor that is nearest to all of them: their geometric median, found by Weiszfeld's iteration, a
    /// delta that does not agree being 0 (sd-mecha).
    /// </summary>
    GeometricMedian,

    /// <summary>
    /// The median in each element of all weighted deltas, those that do not agree and zeros included, the lower one of an even
    /// number; its magnitude takes the elected sign (TIES repository).
    /// </summary>
    Median,
}

/// <summary>What a task mask compares, for base b, expert x_i = b + d_i and multi-task vector t.</summary>
public enum MaskComparison
{
    /// <summary>The models: |b - x_i| &gt; lambda |b + t - x_i| (TALL masks' repository).</summary>
    Models,

    /// <summary>The base's weights with task vectors: |b - d_i| &gt; lambda |t - d_i| (FusionBench, by an oversight).</summary>
    BaseWeights,
}

/// <summary>What happens to NaN and infinity in an input.</summary>
public enum NonFinite
{
    /// <summary>The merge stops and names tensor, expert and index.</summary>
    Fail,

    /// <summary>They take part in the arithmetic.</summary>
    Propagate,
}

/// <summary>What happens to tensors that some inputs lack.</summary>
public enum MissingTensors
{
    /// <summary>The plan is refused, and says which they are.</summary>
    Fail,

    /// <summary>They are merged over the inputs that have them.</summary>
    Union,

    /// <summary>They are left out of the output.</summary>
    Intersection,
}

/// <summary>How the weights of a mixture's experts are laid out in an output.</summary>
public enum MoeLayout
{
    /// <summary>As in the inputs, which must be alike: a matrix for each expert and projection stays one.</summary>
    PerExpert,

    /// <summary>
    /// One tensor of all experts of a layer for each projection, as transformers 5 and mergekit write them:
    /// <c>mlp.experts.gate_up_proj</c> and <c>mlp.experts.down_proj</c>. Methods that look at a tensor as a whole, such as TIES,
    /// look at all experts together then.
    /// </summary>
    Fused,
}
