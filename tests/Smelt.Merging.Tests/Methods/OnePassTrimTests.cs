using Smelt.Merging.Execution;
using Smelt.Merging.Methods;
using Smelt.Merging.Planning;
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

    public static TheoryData<TrimScope> Scopes => [TrimScope.Tensor, TrimScope.Model];

    [Theory]
    [InlineData(TrimScope.Tensor, Election.Sum, null, 0.3, Cut.Exact, ZeroVote.Nothing)]
    [InlineData(TrimScope.Tensor, Election.Unweighted, true, 0.9, Cut.AtThreshold, ZeroVote.Nothing)]
    [InlineData(TrimScope.Tensor, Election.Unweighted, false, 0.05, Cut.MaskRate, ZeroVote.Positive)]
    [InlineData(TrimScope.Model, Election.Unweighted, true, 0.3, Cut.AtThreshold, ZeroVote.Majority)]
    [InlineData(TrimScope.Model, Election.Unweighted, false, 0.9, Cut.AtThreshold, ZeroVote.MajorityOrNothing)]
    [InlineData(TrimScope.Model, Election.Sum, null, 0.05, Cut.Exact, ZeroVote.Majority)]
    [InlineData(TrimScope.Model, Election.Sum, true, 0.5, Cut.MaskRate, ZeroVote.Negative)]
    [InlineData(TrimScope.Model, Election.Unweighted, false, 0.2, Cut.Exact, ZeroVote.Nothing)]
    public void One_pass_makes_the_bytes_of_two(TrimScope scope, Election election, bool? normalize, double density, Cut cut, ZeroVote zeroVote)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var moved = Check(folder, Recipe with { Trim = scope, Election = election, Normalize = normalize, Density = density, Cut = cut, ZeroVote = zeroVote });

        // All but the small tensors are read once, and pages of a sample.
        Assert.InRange(moved, 0.99, 1.7);
    }

    [Theory]
    [InlineData(TrimScope.Tensor, Cut.Exact)]
    [InlineData(TrimScope.Tensor, Cut.AtThreshold)]
    [InlineData(TrimScope.Model, Cut.Exact)]
    [InlineData(TrimScope.Model, Cut.AtThreshold)]
    public void Magnitudes_that_are_all_equal_are_placed_by_their_index(TrimScope scope, Cut cut)
    {
        using var folder = new ModelFolder();
        folder.Write("base", (_, _) => 0.5f);
        folder.Write("e1", (_, i) => i % 2 == 0 ? 0.75f : 0.25f);
        folder.Write("e2", (_, i) => i % 3 == 0 ? 0.5f : 0.375f);
        folder.Write("e3", (_, _) => 0.5f);
        Check(folder, Recipe with { Trim = scope, Cut = cut });
    }

    [Fact]
    public void Votes_of_zero_wait_for_the_majority()
    {
        // A quarter of the elements cancel out, and most of what doesn't is negative.
        using var folder = new ModelFolder();
        folder.Write("base", (_, _) => 0);
        folder.Write("e1", (_, i) => (i % 127 / 64f) - 1.5f);
        folder.Write("e2", (_, i) => (i % 127 / -64f) + (i % 4 == 0 ? 1.5f : 1.25f));
        var recipe = Recipe with { Trim = TrimScope.Model, Experts = [Folder("e1"), Folder("e2")], Election = Election.Unweighted, ZeroVote = ZeroVote.Majority, Density = 0.7 };
        CheckNegative(folder, recipe);
    }

    [Fact]
    public void Columns_that_wait_for_a_threshold_count_in_the_majority()
    {
        // Signs balance, with a few positive ones more, but where the threshold is: there all are negative.
        using var folder = new ModelFolder();
        folder.Write("base", (_, _) => 0);
        folder.Write("e1", (_, i) =>
        {
            var magnitude = 0.25f + ((i * 7919) % 1009 / 1345f);
            var isNear = magnitude is > 0.6f and < 0.65f;
            return i % 10 == 0 ? 0.999f : isNear || (i % 2 == 0 && i % 500 != 2) ? -magnitude : magnitude;
        });
        folder.Write("e2", (_, i) => i % 10 == 0 ? -0.999f : 0);
        var recipe = Recipe with { Trim = TrimScope.Model, Experts = [Folder("e1"), new(Folder("e2")) { Density = 1 }], Election = Election.Unweighted, ZeroVote = ZeroVote.Majority, Density = 0.57 };
        CheckNegative(folder, recipe);
    }

    [Fact]
    public void A_model_whose_tensors_differ_in_density_takes_two_passes()
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        Assert.InRange(Check(folder, Recipe with { Trim = TrimScope.Model, Tensors = [On("t7.**") with { Density = 0.5 }] }), 1.99, 3.0);
    }

    [Theory]
    [InlineData(TrimScope.Tensor, Cut.Exact)]
    [InlineData(TrimScope.Model, Cut.Exact)]
    [InlineData(TrimScope.Model, Cut.AtThreshold)]
    public void A_sample_that_misleads_costs_passes_but_changes_no_byte(TrimScope scope, Cut cut)
    {
        // What is on the pages of a sample is small.
        using var folder = new ModelFolder();
        folder.Write("base", (_, _) => 0);
        var recipe = Recipe with { Trim = scope, Cut = cut, ZeroVote = scope == TrimScope.Model ? ZeroVote.Majority : ZeroVote.Positive };
        var isSampled = Sampled(folder, recipe);
        for (var e = 1; e <= 3; e++)
        {
            var expert = e;
            folder.Write($"e{e}", (t, i) => (isSampled(t, i) ? 0.001f : 1) * (1 + (((i * 7919) + expert) % 127 / 128f)));
        }

        Assert.InRange(Check(folder, recipe), 2.0, 6.0);
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public void Columns_that_crowd_in_one_place_change_no_byte(TrimScope scope)
    {
        // Nearly all magnitudes of one block lie where the threshold is, none of the others; most pages of the sample are elsewhere.
        using var folder = new ModelFolder();
        folder.Write("base", (_, _) => 0);
        for (var e = 1; e <= 3; e++)
        {
            var expert = e;
            folder.Write($"e{e}", (_, i) => i is > 67_000 and < 110_000 ? 1 + (((i * 31) + expert) % 127 / 128f) : i < 40_000 ? 8 : 0.001f);
        }

        Check(folder, Recipe with { Trim = scope });
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
        CheckLittleMemory(folder, recipe, mostHeld: folder.Plan(recipe).BytesToWrite - 1, firstStop: 10_000_000, step: 20_000_000);
    }

    [Fact]
    public void Columns_that_do_not_fit_in_memory_wait_in_a_file()
    {
        // One in seven elements cancels out: more columns than there is memory for, and few thresholds to look for.
        const long elements = 14_000_000;
        using var folder = new ModelFolder { TensorSizes = [70_001, elements] };
        static float First(long i) => ((i * 7919) % 1009 / 1024f) - 0.4f;
        folder.Write("base", (_, _) => 0);
        folder.Write("e1", (_, i) => First(i));
        folder.Write("e2", (_, i) => i % 7 == 0 ? -First(i) : ((i * 104_729) % 1013 / 1024f) - 0.6f);
        var recipe = Recipe with { Trim = TrimScope.Model, Experts = [Folder("e1"), Folder("e2")], Election = Election.Unweighted, ZeroVote = ZeroVote.Majority, Density = 0.9 };
        CheckLittleMemory(folder, recipe, mostHeld: HeldMemory.BytesOf(elements / 8, sources: 3, size: 2), firstStop: 20_000_000, step: 30_000_000);
    }

    [Fact]
    public void Columns_in_a_file_count_in_the_majority()
    {
        // Signs balance, with a few positive ones more, but where the threshold is: there all of the last fifth, whose columns are in the file, are negative,
        // and those of the last block, which is what a worker still has at hand, positive.
        const long elements = 214L * BlockMap.Elements;
        using var folder = new ModelFolder { TensorSizes = [elements] };
        folder.Write("base", (_, _) => 0);
        folder.Write("e1", (_, i) =>
        {
            var magnitude = 0.25f + ((i * 7919) % 1009 / 1345f);
            var isPositive = magnitude is > 0.624f and < 0.626f && i > elements * 4 / 5 ? i >= elements - BlockMap.Elements : i % 2 == 1 || i % 5000 == 2;
            return i % 7 == 0 ? 0.999f : isPositive ? magnitude : -magnitude;
        });
        folder.Write("e2", (_, i) => i % 7 == 0 ? -0.999f : 0);
        var recipe = Recipe with
        {
            Trim = TrimScope.Model, Experts = [Folder("e1"), new(Folder("e2")) { Density = 1 }], Election = Election.Unweighted, Cut = Cut.AtThreshold, ZeroVote = ZeroVote.Majority, Density = 0.5713,
        };
        var (plan, options) = (folder.Plan(recipe), LittleMemory with { Output = Path.Combine(folder.Path, "in-file") });
        Assert.InRange(MemoryBudget.For(plan, options).HeldBytes, 1, HeldMemory.BytesOf(elements / 8, sources: 3, size: 2));
        var result = MergeExecutor.Run(plan, options, new ProgressCounter(), CancellationToken.None);
        Assert.InRange((double)(result.BytesMoved - plan.BytesToWrite) / plan.BytesPerPass, 0.99, 1.2);
        var bytes = ModelFolder.Bytes(result.Folders[0]);
        Assert.Equal(ModelFolder.Bytes(folder.Merge(recipe with { ZeroVote = ZeroVote.Negative }, "negative")), bytes);
        Assert.NotEqual(ModelFolder.Bytes(folder.Merge(recipe with { ZeroVote = ZeroVote.Positive }, "positive")), bytes);
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public void Columns_that_there_is_no_room_for_cost_passes_but_change_no_byte(TrimScope scope)
    {
        // A sample sees magnitudes spread from 0 to 1; everywhere else they lie where its threshold is, so that all columns are open.
        using var folder = new ModelFolder { TensorSizes = [LargeTensor] };
        folder.Write("base", (_, _) => 0);
        var recipe = Recipe with { Trim = scope };
        var isSampled = Sampled(folder, recipe);
        for (var e = 1; e <= 3; e++)
        {
            var expert = e;
            folder.Write($"e{e}", (t, i) =>
            {
                var noise = ((i * 7919) + expert) % 1009 / 1009f;
                return isSampled(t, i) ? noise : 0.703125f + (0.00390625f * (noise > 0.5f ? 1 : 0));
            });
        }

        var (plan, options) = (folder.Plan(recipe), LittleMemory with { Output = Path.Combine(folder.Path, "no-room"), Statistics = true });
        var result = MergeExecutor.Run(plan, options, new ProgressCounter(), CancellationToken.None);
        Assert.InRange((double)(result.BytesMoved - plan.BytesToWrite) / plan.BytesPerPass, 2.05, 4.0);
        Assert.Equal(ModelFolder.Bytes(TwoPasses(folder, recipe)), ModelFolder.Bytes(result.Folders[0]));

        // What was merged twice is measured once.
        var untrimmed = folder.Plan(new TaskArithmetic { Base = recipe.Base, Experts = recipe.Experts });
        var measured = MergeExecutor.Run(untrimmed, options with { Output = Path.Combine(folder.Path, "untrimmed") }, new ProgressCounter(), CancellationToken.None).Statistics!;
        Assert.InRange(measured.Conflicts, 0, measured.Contested);
        Assert.Equal((measured.Conflicts, measured.Contested), (result.Statistics!.Conflicts, result.Statistics.Contested));
        Assert.Equal(measured.Norms, result.Statistics.Norms);
    }

    [Theory]
    [MemberData(nameof(Scopes))]
    public void A_run_that_goes_on_finds_the_thresholds_of_tensors_that_are_half_done(TrimScope scope)
    {
        using var folder = new ModelFolder();
        folder.WriteFamily();
        var recipe = Recipe with { Trim = scope, ZeroVote = scope == TrimScope.Model ? ZeroVote.Majority : ZeroVote.Positive };
        var expected = ModelFolder.Bytes(folder.Merge(recipe, "undisturbed"));
        for (var bytes = 400_000L; !folder.MergeUntil(recipe, $"until-{bytes}", bytes); bytes += 200_000)
            Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe, $"until-{bytes}")));
    }

    /// <summary>Tells whether an element is on a page of the sample of its tensor, or of the model.</summary>
    private static Func<int, long, bool> Sampled(ModelFolder folder, Ties recipe)
    {
        folder.Write("any", (_, _) => 0);
        folder.Write("other", (_, _) => 0);
        var plan = folder.Plan(recipe with { Experts = [Folder("any"), Folder("other")] });
        var sampled = new HashSet<(string, long)>();
        foreach (var range in recipe.Trim == TrimScope.Model ? [(0, plan.Tensors.Count)] : plan.Tensors.Select(t => (t.Index, t.Index + 1)))
        {
            var (first, end) = range;
            foreach (var page in SamplePages.Of(plan, first, end, SamplePages.CountFor(plan.MergedIn(first, end).Sum(t => t.ElementCount))))
                sampled.Add((page.Tensor.Name, page.Start / SamplePages.Elements));
        }

        return (t, i) => sampled.Contains(($"t{t}.weight", i / SamplePages.Elements));
    }

    /// <summary>Compares one pass in little memory with one in more and with two, and with runs that go on.</summary>
    private static void CheckLittleMemory(ModelFolder folder, Ties recipe, long mostHeld, long firstStop, long step)
    {
        var (plan, options) = (folder.Plan(recipe), LittleMemory with { Output = Path.Combine(folder.Path, "in-file") });
        Assert.InRange(MemoryBudget.For(plan, options).HeldBytes, 1, mostHeld);
        var result = MergeExecutor.Run(plan, options, new ProgressCounter(), CancellationToken.None);
        var bytes = ModelFolder.Bytes(result.Folders[0]);
        Assert.InRange((double)(result.BytesMoved - plan.BytesToWrite) / plan.BytesPerPass, 0.99, 1.2);
        Assert.Equal(ModelFolder.Bytes(folder.Merge(recipe, "held")), bytes);
        Assert.Equal(ModelFolder.Bytes(TwoPasses(folder, recipe)), bytes);

        // What was stopped between the two writes of a block is as good as nothing.
        for (var moved = firstStop; folder.MergeUntil(recipe, $"until-{moved}", moved, options) is false; moved += step)
            Assert.Equal(bytes, ModelFolder.Bytes(folder.Merge(recipe, $"until-{moved}")));
    }

    /// <summary>Compares one pass with two, and checks that most signs are negative and that it matters.</summary>
    private static void CheckNegative(ModelFolder folder, Ties recipe)
    {
        Assert.InRange(Check(folder, recipe), 0.99, 1.7);
        var bytes = ModelFolder.Bytes(folder.Merge(recipe, "majority"));
        Assert.Equal(ModelFolder.Bytes(folder.Merge(recipe with { ZeroVote = ZeroVote.Negative }, "negative")), bytes);
        Assert.NotEqual(ModelFolder.Bytes(folder.Merge(recipe with { ZeroVote = ZeroVote.Positive }, "positive")), bytes);
    }

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
