using System.Collections.Concurrent;
using Smelt.Merging.Execution;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;
using Smelt.Recipes;

namespace Smelt.Merging.Methods;

/// <summary>
/// A method of another assembly (<see cref="IElementMethod"/>): hands its code some elements of all inputs at a time, after a pass that adds up what
/// it measures, where it does. Sums are of 4,096 elements after another in a block, then of block after block.
/// </summary>
internal sealed unsafe class ElementMethod(MergePlan plan) : MethodProgram(plan)
{
    /// <summary>Elements that are handed over at a time.</summary>
    private const int Piece = 4096;

    private readonly ConcurrentDictionary<Worker, float[]> _buffers = new();
    private readonly Dictionary<(int Group, int Tensor), double[]> _sums = [];

    /// <inheritdoc/>
    public override StatisticsScope Scope => Groups.Any(g => SumsOf(g.Recipe) > 0) ? StatisticsScope.Tensor : StatisticsScope.None;

    /// <inheritdoc/>
    public override bool AddsBase => Plan.Points[0].Recipe is TaskVectorRecipe;

    /// <summary>The number of sums that a recipe's method takes.</summary>
    public static int SumsOf(Recipe recipe) => Guard(recipe, "Sums", "", () => ((IElementMethod)recipe).Sums(recipe.Experts.Count));

    /// <summary>The bytes that a worker takes for a part of a plan.</summary>
    public static long WorkerBytes(MergePart part) =>
        part.Points[0].Recipe is IElementMethod ? (part.Experts.Count + 1L) * Piece * sizeof(float) : 0;

    /// <inheritdoc/>
    public override void Prepare(PassContext context, int first, int end)
    {
        _sums.Clear();
        foreach (var group in Groups)
        {
            if (SumsOf(group.Recipe) is > 0 and var width)
                Measure(context, first, end, group, width);
        }
    }

    /// <inheritdoc/>
    public override void Mix(Worker worker, SubBlock part, MixGroup group)
    {
        var (method, recipe) = MethodOf(part.Tensor, group);
        var sums = _sums.GetValueOrDefault((group.Index, part.Tensor.Index)) ?? [];
        for (var offset = 0; offset < part.Length; offset += Piece)
        {
            var length = Math.Min(Piece, part.Length - offset);
            var from = offset;
            Guard(recipe, nameof(IElementMethod.Merge), part.Tensor.Name, () =>
            {
                method.Merge(Elements(worker, part, from, length, group, sums), new Span<float>(worker.Mix + from, length));
                return 0;
            });
        }

        if (Plan.NonFinite == Recipes.NonFinite.Fail && Kernels.NonFinite.FirstIndex(new RawBlock(worker.Mix, FloatFormat.F32), part.Length) is >= 0 and var index)
            throw Failure(recipe, part.Tensor.Name, $"Merge gave a value that is not finite at flat index {part.Start + index}, of finite inputs.");
    }

    private void Measure(PassContext context, int first, int end, MixGroup group, int width)
    {
        context.Progress.Phase = "measuring";
        var sums = BlockSums.Measure(context, first, end, width, (worker, block, totals) => Measure(context, worker, block, group, totals));
        foreach (var tensor in Plan.MergedIn(first, end))
            _sums.Add((group.Index, tensor.Index), sums[tensor.Index]!);
    }

    private void Measure(PassContext context, Worker worker, Block block, MixGroup group, Memory<double> sums)
    {
        var (method, recipe) = MethodOf(block.Tensor, group);
        var sources = block.Tensor.Sources;
        for (var offset = 0; offset < block.Length; offset += worker.Elements)
        {
            var part = new SubBlock(block.Tensor, block.Start + offset, Math.Min(worker.Elements, block.Length - offset));
            for (var i = 0; i < sources.Count; i++)
                context.Progress.Add(worker.Read(sources[i], i, part).Length);
            for (var from = 0; from < part.Length; from += Piece)
            {
                var (start, length) = (from, Math.Min(Piece, part.Length - from));
                Guard(recipe, nameof(IElementMethod.Measure), part.Tensor.Name, () =>
                {
                    method.Measure(Elements(worker, part, start, length, group, []), sums.Span);
                    return 0;
                });
            }
        }
    }

    private static (IElementMethod Method, Recipe Recipe) MethodOf(TensorPlan tensor, MixGroup group)
    {
        var recipe = tensor.Settings[group.First].Recipe;
        return ((IElementMethod)recipe, recipe);
    }

    /// <summary>Widens some elements of a sub-block that the worker has read.</summary>
    private TensorElements Elements(Worker worker, SubBlock part, int from, int length, MixGroup group, ReadOnlySpan<double> sums)
    {
        var tensor = part.Tensor;
        var (sources, own) = (tensor.Sources.Count, tensor.Base is null ? 0 : 1);
        var buffer = _buffers.GetOrAdd(worker, _ => GC.AllocateUninitializedArray<float>((Plan.Experts.Count + 1) * Piece));
        fixed (float* values = buffer)
        {
            for (var i = 0; i < sources; i++)
                Widen.ToSingle(worker.Blocks[i].From(from), length, values + (i * length));
        }

        return new TensorElements(
            tensor.Name, tensor.Shape, part.Start + from, length,
            buffer.AsSpan(0, own * length), buffer.AsSpan(own * length, (sources - own) * length), tensor.Settings[group.First].Weights, sums);
    }

    /// <summary>Calls the method's code; what it throws becomes a problem that names it.</summary>
    private static int Guard(Recipe recipe, string member, string tensor, Func<int> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is not (OutOfMemoryException or InvalidInputException))
        {
            throw Failure(recipe, tensor, $"{member} threw {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static InvalidInputException Failure(Recipe recipe, string tensor, string message) => new(
        PlanRules.MethodFails.Id,
        tensor.Length == 0 ? recipe.GetType().FullName! : $"{recipe.GetType().FullName}, tensor {tensor}",
        message,
        $"Correct the method {Slots.MethodId(recipe)}.");
}
