using Smelt.Merging.Execution;
using Smelt.Merging.Methods;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Execution;

/// <summary>The majority of signs is guessed from a sample; where the guess is wrong, the output is what the right one makes.</summary>
public sealed class MajorityTests
{
    private static readonly Sequence<Expert> Experts = [Folder("e1"), new(Folder("e2")) { Weight = 0.5 }];

    public static TheoryData<string> Methods => ["ties", "ties of tensors", "ties weighted", "dare", "breadcrumbs", "ties max"];

    private static ElectedRecipe Recipe(string name) => name switch
    {
        "ties" => new Ties { Base = Folder("base"), Experts = Experts, Density = 0.9 },
        "ties of tensors" => new Ties { Base = Folder("base"), Experts = Experts, Density = 0.9, Trim = TrimScope.Tensor },
        "ties weighted" => new Ties { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2")], Density = 1, Election = Election.Sum, Normalize = false, Lambda = 0.7 },
        "ties max" => new Ties { Base = Folder("base"), Experts = Experts, Density = 0.9, Dtype = DType.F32, Combine = Combine.Max },
        "dare" => new DareTies { Base = Folder("base"), Experts = Experts, Density = 0.8, TrimDensity = 1, Seed = 3 },
        _ => new BreadcrumbsTies { Base = Folder("base"), Experts = Experts, Density = 0.8, Gamma = 0.01, ZeroVote = ZeroVote.Majority },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_wrong_guess_is_mended_at_contested_elements_alone(string method)
    {
        using var folder = new ModelFolder();
        var recipe = Recipe(method) with { ZeroVote = ZeroVote.Majority };
        Write(folder, recipe);
        var plan = folder.Plan(recipe);
        var result = MergeExecutor.Run(plan, new MergeOptions { Output = Path.Combine(folder.Path, "majority"), Threads = 3 }, new ProgressCounter(), CancellationToken.None);
        var bytes = ModelFolder.Bytes(result.Folders[0]);
        if (recipe is Ties ties && ties.Density != 1)
            Assert.NotEqual(bytes, ModelFolder.Bytes(folder.Merge(ties with { Density = 1 }, "all")));
        var right = ModelFolder.Bytes(folder.Merge(recipe with { ZeroVote = ZeroVote.Negative }, "negative"));
        Assert.Equal(right, bytes);
        Assert.NotEqual(ModelFolder.Bytes(folder.Merge(recipe with { ZeroVote = ZeroVote.Positive }, "positive")), bytes);

        // What is mended is not read from the inputs again, and the hashes are those of the mended bytes.
        Assert.InRange(result.BytesMoved, 1, plan.BytesToRead + plan.BytesToWrite + (plan.BytesPerPass / 2));
        Assert.Empty(Verification.Run(result.Folders[0], inputs: false, folder.Path, 2, new ProgressCounter(), CancellationToken.None).Problems);

        // With a sweep, or in small memory, everything is merged again.
        var sweep = folder.Merge((ElectedRecipe)recipe with { Lambda = Sweep(recipe.Lambda?.Value ?? 1, 0.125) }, "sweep");
        Assert.Equal(right, ModelFolder.Bytes(Directory.GetDirectories(sweep).Single(d => !d.EndsWith("0.125", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("ties")]
    [InlineData("dare")]
    public void Medians_are_mended_as_they_are_merged(string method)
    {
        using var folder = new ModelFolder();
        var recipe = Recipe(method) with { ZeroVote = ZeroVote.Majority, Combine = Combine.Median, Experts = [.. Experts, Folder("e3")] };
        Write(folder, recipe with { Experts = Experts });
        folder.Write("e3", (_, i) => i % 5 == 0 ? 0 : (i % 7) - 3);
        var bytes = ModelFolder.Bytes(folder.Merge(recipe, "majority"));
        var sweep = folder.Merge((ElectedRecipe)recipe with { Lambda = Sweep(recipe.Lambda?.Value ?? 1, 0.125) }, "sweep");
        Assert.Equal(ModelFolder.Bytes(Directory.GetDirectories(sweep).Single(d => !d.EndsWith("0.125", StringComparison.Ordinal))), bytes);
        Assert.Equal(ModelFolder.Bytes(folder.Merge(recipe with { ZeroVote = ZeroVote.Negative }, "negative")), bytes);
    }

    [Fact]
    public void A_run_that_was_stopped_after_a_wrong_guess_ends_as_an_undisturbed_one()
    {
        using var folder = new ModelFolder();
        var recipe = Recipe("ties") with { ZeroVote = ZeroVote.Majority };
        Write(folder, recipe);
        var expected = ModelFolder.Bytes(folder.Merge(recipe, "undisturbed"));
        for (var bytes = 1_000_000L; !folder.MergeUntil(recipe, $"until-{bytes}", bytes); bytes += 500_000)
            Assert.Equal(expected, ModelFolder.Bytes(folder.Merge(recipe, $"until-{bytes}")));
    }

    [Theory]
    [InlineData("ties", 0)]
    [InlineData("ties", 1)]
    [InlineData("ties", int.MaxValue)]
    [InlineData("ties of tensors", 2)]
    [InlineData("dare", 2)]
    [InlineData("breadcrumbs", 2)]
    public void Finished_blocks_that_assumed_the_wrong_sign_are_merged_again_alone(string method, int wrong)
    {
        // All blocks are finished, by a run that was stopped before it mended what some of them had assumed.
        using var folder = new ModelFolder();
        var recipe = Recipe(method) with { ZeroVote = ZeroVote.Majority };
        Write(folder, recipe);
        var expected = ModelFolder.Bytes(folder.Merge(recipe, "undisturbed"));
        var plan = folder.Plan(recipe);
        var blocks = new BlockMap(plan.Tensors);
        var last = blocks.Count - 1;
        bool IsWrong(long block) => block > last - wrong;
        var work = Path.Combine(folder.Path, ".stopped.smelt");
        Directory.Move(folder.Merge(recipe with { ZeroVote = ZeroVote.Negative }, "stopped"), work);
        CopyBlocks(plan, folder.Merge(recipe with { ZeroVote = ZeroVote.Positive }, "positive"), work, IsWrong);
        Assert.Equal(wrong == 0, expected.AsSpan().SequenceEqual(ModelFolder.Bytes(work)));
        LeftoverTests.WriteJournal(plan, work + ".journal", work, balance: -1, zeroVotes: 1, block => IsWrong(block) ? Smelt.Merging.Kernels.ZeroVote.Positive : Smelt.Merging.Kernels.ZeroVote.Negative);
        var result = MergeExecutor.Run(plan, new MergeOptions { Output = Path.Combine(folder.Path, "stopped"), Threads = 2 }, new ProgressCounter(), CancellationToken.None);
        Assert.Equal(expected, ModelFolder.Bytes(result.Folders[0]));
        var elements = Enumerable.Range(0, (int)blocks.Count).Where(b => IsWrong(b)).Sum(b => (long)blocks[b].Length);
        Assert.Equal(blocks.Count, result.ResumedBlocks);

        // Thresholds are not in the journal: they are found again.
        Assert.Equal(((1 + Experts.Count + 1) * sizeof(ushort) * elements) + (method.StartsWith("ties", StringComparison.Ordinal) && wrong is > 0 and < int.MaxValue ? plan.BytesPerPass : 0), result.BytesMoved);
        Assert.Empty(Verification.Run(result.Folders[0], inputs: false, folder.Path, 2, new ProgressCounter(), CancellationToken.None).Problems);
    }

    /// <summary>Copies some blocks of one output to the place of another's.</summary>
    private static void CopyBlocks(MergePlan plan, string from, string to, Func<long, bool> copies)
    {
        using var source = new OutputFiles(plan, [from]);
        using var destination = new OutputFiles(plan, [to]);
        var blocks = new BlockMap(plan.Tensors);
        for (var i = 0L; i < blocks.Count; i++)
        {
            if (!copies(i))
                continue;
            var bytes = new byte[blocks[i].Length * sizeof(ushort)];
            source.Read(0, blocks[i].Tensor.Index, blocks[i].Start * sizeof(ushort), bytes);
            destination.Write(0, blocks[i].Tensor.Index, blocks[i].Start * sizeof(ushort), bytes);
        }
    }

    /// <summary>Models whose sampled pages elect positive signs, and most other elements negative ones; every fifth element is contested.</summary>
    private static void Write(ModelFolder folder, Recipe recipe)
    {
        folder.Write("base", (_, _) => 0);
        folder.Write("e1", (_, _) => 1);
        folder.Write("e2", (_, _) => 1);
        var plan = folder.Plan(recipe);
        var pages = SamplePages.Of(plan, 0, plan.Tensors.Count, SamplePages.ForMajority)
            .SelectMany(p => Enumerable.Range(0, p.Length).Select(i => (p.Tensor.Name, p.Start + i))).ToHashSet();
        float Value(int t, long i) => (pages.Contains(($"t{t}.weight", i)) ? 1 : -1) * (1 + (i * 7919 % 101 / 128f));
        folder.Write("e1", (t, i) => i % 5 == 0 ? 2 : Value(t, i));
        folder.Write("e2", (t, i) => i % 5 == 0 ? -2 : Value(t, i));
    }
}
