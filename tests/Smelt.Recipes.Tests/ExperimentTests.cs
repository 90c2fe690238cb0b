using System.Text;
using CsCheck;
using Smelt.Recipes.Configuration;
using Smelt.Recipes.Rules;
using static Smelt.Recipes.Syntax;

namespace Smelt.Recipes.Tests;

/// <summary>The grid of an experiment and its configuration.</summary>
public class ExperimentTests
{
    private static readonly Gen<(int Experts, int[] Sizes, int Draws, int Seed)> Random =
        Gen.Int[1, 9].SelectMany(n => Gen.Shuffle(Enumerable.Range(1, n).ToArray()).Select(Gen.Int[1, n], (order, count) => order.Take(count).ToArray())
            .Select(Gen.Int[1, 4], Gen.Int[0, 1000], (sizes, draws, seed) => (n, sizes, draws, seed)));

    [Fact]
    public void Nested_subsets_grow_and_independent_ones_have_their_sizes() => Random.Sample(r =>
    {
        foreach (var subsets in new[] { Nested(r.Sizes, r.Draws, r.Seed), Independent(r.Sizes, r.Draws, r.Seed) })
        {
            var drawn = subsets.Of(r.Experts).ToArray();
            Assert.Equal(r.Sizes.Sum(s => s == r.Experts ? 1 : r.Draws), drawn.Length);
            Assert.Equal(drawn.Length, drawn.Select(d => d.Label).Distinct().Count());
            Assert.All(drawn, d => Assert.True(d.Experts.SequenceEqual(d.Experts.Distinct().Order()) && d.Experts.All(e => e >= 0 && e < r.Experts)));
            Assert.Equal(r.Sizes.SelectMany(s => Enumerable.Repeat(s, s == r.Experts ? 1 : r.Draws)), drawn.Select(d => d.Experts.Length));
            Assert.Equal(drawn.Select(d => string.Join(",", d.Experts)), subsets.Of(r.Experts).Select(d => string.Join(",", d.Experts)));
        }

        var byDraw = Nested(r.Sizes, r.Draws, r.Seed).Of(r.Experts).GroupBy(d => d.Label.Split('-')[1]);
        foreach (var draw in byDraw)
        {
            var sorted = draw.OrderBy(d => d.Experts.Length).ToArray();
            Assert.All(sorted.Zip(sorted.Skip(1)), pair => Assert.Empty(pair.First.Experts.Except(pair.Second.Experts)));
        }
    });

    [Fact]
    public void Draws_differ_and_every_expert_is_drawn()
    {
        var drawn = Independent([2], draws: 200, seed: 3).Of(6).Select(d => (d.Experts[0], d.Experts[1])).ToArray();
        Assert.Equal(15, drawn.Distinct().Count());
        Assert.All(drawn.GroupBy(d => d), g => Assert.InRange(g.Count(), 4, 28));
    }

    [Fact]
    public void A_configuration_reads_back_as_the_experiment()
    {
        foreach (var subsets in new[] { null, AllExperts(), Nested([2, 3], 2, 7), Independent([1, 2]), Subsets([0, 1], [2]) })
        {
            var experiment = new Experiment
            {
                Pools = [Pool("a", Folder("base"), Folder("x"), new Expert(Hub("o/y")) { Weight = 0.5 }, Folder("z"))],
                Arms = [Arm("mean", new Average()), Arm("ties", new Ties { Lambda = Sweep(0.5, 1) })],
                Subsets = subsets,
                MaxMerges = 100,
            };
            Assert.Empty(ExperimentValidator.Validate("e", experiment));
            var text = ConfigurationWriter.Write("e", experiment);
            var read = ConfigurationReader.ReadExperiment(Encoding.UTF8.GetBytes(text), "e.json");
            Assert.Empty(read.Problems);
            Assert.Equal(text, read.CanonicalJson);
            Assert.True(ConfigurationReader.IsExperiment(Encoding.UTF8.GetBytes(text)));
            Assert.Equal(
                ExperimentGrid.Cells(experiment).Select(c => (c.Name, ConfigurationWriter.Write("c", c.Recipe))),
                ExperimentGrid.Cells(read.Experiment!).Select(c => (c.Name, ConfigurationWriter.Write("c", c.Recipe))));
        }
    }

    [Fact]
    public void A_grid_beyond_its_guard_is_refused()
    {
        var experiment = new Experiment
        {
            Pools = [Pool("a", Folder("base"), Folder("x"), Folder("y"))],
            Arms = [Arm("sum", new TaskArithmetic { Lambda = Sweep(0.1, 0.2, 0.3) })],
            Subsets = Subsets([0], [1], [0, 1]),
            MaxMerges = 8,
        };
        var problem = Assert.Single(ExperimentValidator.Validate("e", experiment));
        Assert.Equal("SM4003", problem.Id);
        Assert.Contains("9 merges; allowed: 8", problem.Message, StringComparison.Ordinal);
    }
}
