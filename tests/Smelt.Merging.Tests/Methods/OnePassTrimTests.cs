using Smelt.Merging.Execution;
using Smelt.Merging.Tests.Execution;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>
/// A trim in one pass makes the bytes that two passes make, whether the sample was right or not. Two passes are what a sweep takes, whose points
/// share them.
/// </summary>
public sealed class OnePassTrimTests
{
    private static readonly Ties Recipe = new()
    {
        Base = Folder("base"),
        Experts = [Folder("e1"), new(Folder("e2")) { Weight = 0.5 }, new(Folder("e3")) { Density = 1 }],
        Profile = Profile.Mergekit,
        Density = 0.3,
    };

    private const long LargeTensor = 6_000_000;

    private static readonly MergeOptions LittleMemory = new() { Output = "", Threads = 1, MaxMemory = 64L << 20 };

    [Theory]
    [InlineData(Election.Sum, null, 0.3)]
    [InlineData(Election.Unweighted, true, 0.9)]
    [InlineData(Election.Unweighted, false, 0.05)]
    public void One_pass_makes_the_bytes_of_two(Election election, bool? normalize, double density)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var moved = Check(folder, Recipe with { Election = election, Normalize = normalize, Density = density, ZeroVote = ZeroVote.Nothing });

        // All but the small tensors are read once, and pages of a sample.
        Assert.InRange(moved, 1.0, 1.7);
    }

    [Fact]
    public void Magnitudes_that_are_all_equal_are_placed_by_their_index()
    {
        using var folder = new ModelFolder();
        folder.Write("base", (_, _) => 0.5f);
        folder.Write("e1", (_, i) => i % 2 == 0 ? 0.75f : 0.25f);
        folder.Write("e2", (_, i) => i % 3 == 0 ? 0.5f : 0.375f);
        folder.Write("e3", (_, _) => 0.5f);
        Check(folder, Recipe);
    }

    [Fact]
    public void A_sample_that_misleads_costs_passes_but_changes_no_byte()
    {
        // Pages of 2,048 elements are sampled at the start of each of eight stretches of a tensor: what is there is small.
        using var folder = new ModelFolder();
        folder.Write("base", (_, _) => 0);
        for (var e = 1; e <= 3; e++)
        {
            var expert = e;
            folder.Write($"e{e}", (t, i) =>
            {
                var stretch = ModelFolder.Sizes[t] / 8.0;
                return (IsSampled(i, stretch) ? 0.001f : 1) * (1 + (((i * 7919) + expert) % 127 / 128f));
            });
        }

        Assert.InRange(Check(folder, Recipe), 2.0, 6.0);
    }

    [Fact]
    public void Columns_that_crowd_in_one_place_change_no_byte()
    {
        // Nearly all magnitudes of one block lie where the threshold is, none of the others; most pages of the sample are elsewhere.
        using var folder = new ModelFolder();
        folder.Write("base", (_, _) => 0);
        for (var e = 1; e <= 3; e++)
        {
            var expert = e;
            folder.Write($"e{e}", (_, i) => i is > 67_000 and < 110_000 ? 1 + (((i * 31) + expert) % 127 / 128f) : i < 40_000 ? 8 : 0.001f);
        }

        Check(folder, Recipe);
    }

    [Fact]
    public void A_tensor_whose_output_can_not_be_held_is_written_and_completed()
    {
        using var folder = new ModelFolder { TensorSizes = [70_001, LargeTensor] };
        for (var model = 0; model <= 3; model++)
        {
            var m = model;
            folder.Write(m == 0 ? "base" : $"e{m}", (_, i) => (i % 5) + (m == 0 ? 0 : (((i * 7919) + (m * 131)) % 1009 / 1024f)));
        }

        var recipe = Recipe with { Dtype = DType.F32 };
        var (plan, options) = (folder.Plan(recipe), LittleMemory with { Output = Path.Combine(folder.Path, "in-file") });
        Assert.InRange(MemoryBudget.For(plan, options).HeldBytes, 1, plan.BytesToWrite - 1);
        var result = MergeExecutor.Run(plan, options, new ProgressCounter(), CancellationToken.None);
        var bytes = ModelFolder.Bytes(result.Folders[0]);
        Assert.InRange((double)(result.BytesMoved - plan.BytesToWrite) / plan.BytesPerPass, 0.99, 1.2);
        Assert.Equal(ModelFolder.Bytes(folder.Merge(recipe, "held")), bytes);
        Assert.Equal(ModelFolder.Bytes(TwoPasses(folder, recipe)), bytes);

        // What was stopped between the two writes of a block is as good as nothing.
        for (var moved = 10_000_000L; folder.MergeUntil(recipe, $"until-{moved}", moved, options) is false; moved += 20_000_000)
            Assert.Equal(bytes, ModelFolder.Bytes(folder.Merge(recipe, $"until-{moved}")));
    }

    [Fact]
    public void Columns_that_there_is_no_room_for_cost_passes_but_change_no_byte()
    {
        // A sample sees magnitudes spread from 0 to 1; everywhere else they lie where its threshold is, so that all columns are open.
        using var folder = new ModelFolder { TensorSizes = [LargeTensor] };
        var stretch = LargeTensor / (double)(LargeTensor / 2048 / 24);
        folder.Write("base", (_, _) => 0);
        for (var e = 1; e <= 3; e++)
        {
            var expert = e;
            folder.Write($"e{e}", (_, i) =>
            {
                var noise = ((i * 7919) + expert) % 1009 / 1009f;
                return IsSampled(i, stretch) ? noise : 0.703125f + (0.00390625f * (noise > 0.5f ? 1 : 0));
            });
        }

        var (plan, options) = (folder.Plan(Recipe), LittleMemory with { Output = Path.Combine(folder.Path, "no-room"), Statistics = true });
        var result = MergeExecutor.Run(plan, options, new ProgressCounter(), CancellationToken.None);
        Assert.InRange((double)(result.BytesMoved - plan.BytesToWrite) / plan.BytesPerPass, 2.05, 4.0);
        Assert.Equal(ModelFolder.Bytes(TwoPasses(folder, Recipe)), ModelFolder.Bytes(result.Folders[0]));

        // What was merged twice is measured once.
        var untrimmed = folder.Plan(new TaskArithmetic { Base = Recipe.Base, Experts = Recipe.Experts });
        var measured = MergeExecutor.Run(untrimmed, options with { Output = Path.Combine(folder.Path, "untrimmed") }, new ProgressCounter(), CancellationToken.None).Statistics!;
        Assert.InRange(measured.Conflicts, 0, measured.Contested);
        Assert.Equal((measured.Conflicts, measured.Contested), (result.Statistics!.Conflicts, result.Statistics.Contested));
        Assert.Equal(measured.Norms, result.Statistics.Norms);
    }

    [Fact]
    public void A_run_that_goes_on_finds_the_thresholds_of_tensors_that_are_half_done()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var expected = ModelFolder.Bytes(folder.Merge(Recipe, "undisturbed"));
        for (var bytes = 400_000L; !folder.MergeUntil(Recipe, $"until-{bytes}", bytes); bytes += 200_000)
            Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(Recipe, $"until-{bytes}")));
    }

    /// <summary>Whether an element is on a page of the sample: one of 2,048 elements at the start of each stretch.</summary>
    private static bool IsSampled(long element, double stretch) =>
        Math.Ceiling(element / 2048 * 2048 / stretch) * stretch < ((element / 2048) + 1) * 2048;

    /// <summary>Compares one pass with two, with little memory and with many threads; returns what the one pass moved, in passes over the inputs.</summary>
    private static double Check(ModelFolder folder, Ties recipe)
    {
        var plan = folder.Plan(recipe);
        var result = MergeExecutor.Run(plan, new MergeOptions { Output = Path.Combine(folder.Path, "one-pass"), Threads = 2 }, new ProgressCounter(), CancellationToken.None);
        var bytes = ModelFolder.Bytes(result.Folders[0]);
        Assert.Equal(ModelFolder.Bytes(TwoPasses(folder, recipe)), bytes);
        Assert.Equal(ModelFolder.Bytes(folder.Merge(recipe, "little-memory", threads: 7, memory: 64L << 20)), bytes);
        return (double)(result.BytesMoved - plan.BytesToWrite) / plan.BytesPerPass;
    }

    /// <summary>The output that two passes make, which is a point of a sweep.</summary>
    private static string TwoPasses(ModelFolder folder, Ties recipe) =>
        Directory.GetDirectories(folder.Merge(recipe with { Lambda = Sweep(1, 0.25) }, "two-passes")).Single(d => !d.EndsWith("0.25", StringComparison.Ordinal));
}
