namespace Smelt.Recipes;

/// <summary>
/// PCB-Merging: competition balancing of parameters within and between task vectors (Du et al. 2024, "Parameter competition
/// balancing for model merging"). Each delta is scaled by how large it is beside its own task vector and how well it agrees with
/// the others; all but the highest balances of each expert count nothing. All statistics are of the whole model.
/// </summary>
/// <remarks>
/// n = all merged parameters, N experts, d_i sorted by magnitude. a_i = |d_i| clamped between the values at sorted positions
/// trunc(n c) and trunc(n (1 - c) - 1), c = <see cref="Clamp"/>; q_i = (a_i - min) / (max - min). Balance = exp(N q_i²) tanh(d_i s), s = sum of
/// d_j (<see cref="PcbForm.Language"/>) or of sign(d_j) q_j (<see cref="PcbForm.Vision"/>). Scale = the balance clamped from below at its
/// sorted position trunc(n (1 - <see cref="Ratio"/>)), brought to 0 .. 1. out = b + lambda * sum w_i sign(d_i) a_i scale_i / sum scale_i.
/// </remarks>
[Method("pcb", "task vectors balanced by their competition for parameters")]
public sealed record Pcb : TaskVectorRecipe
{
    /// <summary>The fraction of each expert's parameters that count, 0 to 1; 0.1 unless given.</summary>
    [Slot("the fraction of each expert's parameters that count", Min = 0, Max = 1)]
    public Scalar? Ratio { get; init; }

    /// <summary>The fraction of magnitudes at each end that is clamped, 0 to 0.5; 0.01 unless given (1e-4 in the repository's short script).</summary>
    [Slot("the fraction of magnitudes at each end that is clamped", Min = 0, Max = 0.5)]
    public Scalar? Clamp { get; init; }

    /// <summary>Which of the two published forms; <see cref="PcbForm.Language"/> unless given.</summary>
    [Slot("which of the two published forms")]
    public PcbForm? Form { get; init; }

    /// <inheritdoc/>
    public override Recipe Resolve() => (Pcb)base.Resolve() with
    {
        Ratio = Ratio ?? 0.1,
        Clamp = Clamp ?? 0.01,
        Form = Form ?? PcbForm.Language,
    };
}

/// <summary>The published forms of PCB-Merging, which differ in what a delta must agree with.</summary>
public enum PcbForm
{
    /// <summary>The sum of the deltas (the repository's code for language models, and its short script).</summary>
    Language,

    /// <summary>The sum of the deltas' signs times their normalised magnitudes (its code for vision models, with a weight for each task, 1.2).</summary>
    Vision,
}
