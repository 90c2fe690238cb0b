using Smelt.Checkpoints;
using Smelt.Merging.Methods;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// Which numbers of mergekit's one stream each random mask is made of. The stream is MT19937 from the seed, a word for each element in
/// row-major order; tensors come in ordinal order of the largest name that they have in an input, the experts in their order
/// inside a tensor. What is kept or dropped whole takes no numbers, but for DARE at density 0. Each output of a sweep has the
/// whole stream for itself, as a run of mergekit has.
/// </summary>
internal sealed class MergekitDraws
{
    /// <summary>For each sweep point and tensor the numbers before its first; points that draw alike share a list.</summary>
    private readonly long[][] _starts;

    private readonly DType? _arithmetic;
    private readonly bool _isOfOutput;

    private MergekitDraws(MergePlan plan, MergekitSeed seed)
    {
        _isOfOutput = !seed.Arithmetic.TryGetValue(plan.Name, out _arithmetic);
        var drawn = plan.Merged.Where(t => t.Settings[0].Recipe is IRandomDrop and not IDare { Drop: Drop.Smallest } && plan.Parts[t.Part].Masks is null).ToArray();
        var order = drawn.OrderBy(LabelOf, StringComparer.Ordinal).ToArray();
        _starts = new long[plan.Points.Count][];
        for (var point = 0; point < _starts.Length; point++)
        {
            var starts = new long[plan.Tensors.Count];
            var next = 0L;
            foreach (var tensor in order)
            {
                starts[tensor.Index] = next;
                next += DrawsBefore(tensor.Settings[point], tensor, tensor.Experts.Count);
            }

            _starts[point] = point > 0 && starts.AsSpan().SequenceEqual(_starts[point - 1]) ? _starts[point - 1] : starts;
            Total = Math.Max(Total, next);
        }

        IsGraded = drawn.Any(t => t.Settings[0].Recipe is IGradedDrop && ArithmeticOf(t) is DType.BF16 or DType.F16);
        Stream = new SerialDraws(seed.Value, Total);
    }

    /// <summary>The most numbers that an output takes.</summary>
    public long Total { get; }

    /// <summary>Whether magnitudes are ranked that mergekit rounds to 16 bits, so that ranks, and with them masks, differ.</summary>
    public bool IsGraded { get; }

    /// <summary>The stream.</summary>
    public SerialDraws Stream { get; }

    /// <summary>The order of a plan's draws.</summary>
    public static MergekitDraws Of(MergePlan plan, MergekitSeed seed) => new(plan, seed);

    /// <summary>How many numbers of the stream come before the first of a mask.</summary>
    public long FirstOf(int point, TensorPlan tensor, int expert) =>
        _starts[point][tensor.Index] + DrawsBefore(tensor.Settings[point], tensor, expert);

    /// <summary>The probability that mergekit compares with: a density in fp32, or rounded to bfloat16 where it computes in that.</summary>
    public double Probability(TensorPlan tensor, double density) => ArithmeticOf(tensor) == DType.BF16 ? ToBf16((float)density) : (float)density;

    /// <summary>The format that mergekit casts a tensor's inputs to.</summary>
    private DType ArithmeticOf(TensorPlan tensor)
    {
        var recipe = tensor.Settings[0].Recipe;
        if ((_isOfOutput ? recipe.Dtype : _arithmetic) is { } asked)
            return asked;
        var types = tensor.Experts.Select(e => e.Type).Append(tensor.Base!.Type).Distinct().ToArray();
        return types is [var only] ? (only == TensorType.BF16 ? DType.BF16 : only == TensorType.F16 ? DType.F16 : DType.F32) : DType.F32;
    }

    private static string LabelOf(TensorPlan tensor) =>
        tensor.Experts.Append(tensor.Base!).Select(t => t.Name).MaxBy(n => n, StringComparer.Ordinal)!;

    /// <summary>The numbers that the first so many experts of a tensor take.</summary>
    private static long DrawsBefore(TensorSettings settings, TensorPlan tensor, int experts)
    {
        var draws = 0L;
        for (var i = 0; i < experts; i++)
        {
            if (settings.Densities[i] < 1 && (settings.Densities[i] > 0 || settings.Recipe is IDare))
                draws += tensor.ElementCount;
        }

        return draws;
    }

    private static float ToBf16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }
}
