using Smelt.Merging.Kernels;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Kernels;

public sealed class RehearsalTests
{
    /// <summary>Recipes of every method that is rehearsed, in the variants that run other kernels.</summary>
    public static TheoryData<string> Names => [.. Recipes.Keys];

    private static Dictionary<string, Recipe> Recipes { get; } = new()
    {
        ["average"] = new Average { Experts = [Folder("a"), Folder("b")] },
        ["task arithmetic"] = new TaskArithmetic { Base = Folder("base"), Experts = [Folder("a"), Folder("b")] },
        ["ties"] = new Ties { Base = Folder("base"), Experts = [Folder("a"), Folder("b")], Density = 0.2 },
        ["ties, mergekit"] = new Ties { Base = Folder("base"), Experts = [Folder("a"), Folder("b")], Profile = Profile.Mergekit, Density = 0.2 },
        ["dare-ties"] = new DareTies { Base = Folder("base"), Experts = [Folder("a"), Folder("b")], Density = 0.2, Seed = 1 },
        ["dare-ties, no trim"] = new DareTies { Base = Folder("base"), Experts = [Folder("a"), Folder("b")], Density = 0.2, TrimDensity = 1, Seed = 1 },
        ["dare-linear"] = new DareLinear { Base = Folder("base"), Experts = [Folder("a"), Folder("b")], Density = 0.2, Seed = 1 },
        ["not rehearsed"] = new Slerp { Base = Folder("base"), Experts = [Folder("a")], T = 0.5 },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void Runs_to_its_end_at_every_width(string name)
    {
        foreach (var width in new[] { 32, 128, 256, 512 }.Where(w => w <= Simd.WidestWidth))
        {
            Simd.Width = width;
            Rehearsal.Run(SweepExpansion.Expand(Recipes[name])[0].Recipe);
            Rehearsal.RunStatistics();
        }

        Simd.Width = 0;
    }

    public static TheoryData<string> Methods => [.. Slots.Methods.Keys];

    /// <summary>The tool hands over a recipe as it is written, before defaults are filled in and sweeps expanded.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void Switches_may_be_left_open_or_swept(string method)
    {
        var recipe = Slots.Create(method)!;
        Rehearsal.Run(recipe);
        foreach (var slot in Slots.Of(recipe).Where(s => s.Type == typeof(Scalar)))
            recipe = (Recipe)slot.With(recipe, Sweep(0.25, 0.5));
        Rehearsal.Run(recipe);
        Rehearsal.Run(recipe is TrimmedRecipe trimmed ? trimmed with { Profile = Profile.Mergekit } : recipe);
    }
}
