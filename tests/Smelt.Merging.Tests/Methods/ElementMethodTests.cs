using Smelt.Merging.Tests.Execution;
using Smelt.Merging.Tests.Kernels;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>Methods of other assemblies, here of this one: what their code gets, and what becomes of its faults.</summary>
public sealed class ElementMethodTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    static ElementMethodTests() => Slots.Register("tests.scaled", typeof(Scaled), () => new Scaled(), [new Slot(
        nameof(Scaled.T), typeof(Scalar), new SlotAttribute("the step") { Default = 0.5 }, o => ((Scaled)o).T, (o, v) => (Scaled)o with { T = (Scalar?)v })]);

    public ElementMethodTests() => _folder.WriteFamily();

    public void Dispose() => _folder.Dispose();

    private static Scaled Recipe => new() { Base = Folder("base"), Experts = [Folder("e1"), new(Folder("e2")) { Weight = 0.5 }] };

    [Fact]
    public void Threads_memory_shards_widths_and_interruptions_make_no_difference()
    {
        var recipe = Recipe with { Lambda = 0.7 };
        var expected = ModelFolder.Bytes(_folder.Merge(recipe, "one", threads: 1));
        Assert.Equal(expected, ModelFolder.Bytes(_folder.Merge(recipe, "eight", threads: 8, memory: 64L << 20)));
        Assert.Equal(expected, ModelFolder.Bytes(_folder.Merge(recipe with { MaxShardSize = 150_000 }, "sharded")));
        foreach (var width in KernelData.Widths)
            KernelData.At(width, () => Assert.Equal(expected, ModelFolder.Bytes(_folder.Merge(recipe, $"w{width}", threads: 3))));
        for (var bytes = 50_000L; !_folder.MergeUntil(recipe, "stopped", bytes); bytes += 400_000)
            Assert.False(Directory.Exists(Path.Combine(_folder.Path, "stopped")));
        Assert.Equal(expected, ModelFolder.Bytes(Path.Combine(_folder.Path, "stopped")));
    }

    [Fact]
    public void Elements_sums_weights_and_lambda_are_those_of_the_tensor()
    {
        // Divided by the sum of its own weights' terms, the mix has the mean of |d| of the first expert as its factor.
        using var models = new MatrixModels(("a", [300, 300]), ("b", [5]), ("c", []));
        models.WriteNoise("base", 1);
        models.WriteNoise("e1", 2);
        models.WriteNoise("e2", 3);
        var merged = models.Merge(Recipe with { Lambda = 2, Tensors = [On("b") with { T = 4, Weight = 3 }] });
        var (b, x, y) = (models.Values("base"), models.Values("e1"), models.Values("e2"));
        foreach (var name in b.Keys)
        {
            var mean = b[name].Zip(x[name], (o, v) => Math.Abs((double)v - o)).Average();
            var (t, w1, w2) = name == "b" ? (4, 3, 3) : (0.5, 1, 0.5);
            for (var e = 0; e < b[name].Length; e++)
                Assert.Equal(b[name][e] + (2 * t * mean * ((w1 * (x[name][e] - b[name][e])) + (w2 * (y[name][e] - b[name][e])))), merged[name][e], 1e-4);
        }
    }

    [Fact]
    public void Points_of_a_sweep_have_their_own_values_and_share_a_mix_over_lambda()
    {
        var sweep = _folder.Merge(Recipe with { T = Sweep(0.25, 1), Lambda = Sweep(0.5, 1) }, "sweep");
        foreach (var t in new[] { 0.25, 1 })
        {
            foreach (var lambda in new[] { 0.5, 1 })
                Assert.Equal(ModelFolder.Bytes(_folder.Merge(Recipe with { T = t, Lambda = lambda }, $"{t}-{lambda}")), ModelFolder.Bytes(Path.Combine(sweep, $"lambda={lambda},t={t}")));
        }
    }

    [Theory]
    [InlineData(Fault.Merge, "tensor t1.weight", "Merge threw DivideByZeroException")]
    [InlineData(Fault.Measure, "tensor t1.weight", "Measure threw IndexOutOfRangeException")]
    [InlineData(Fault.Sums, "Scaled", "Sums threw InvalidOperationException: no sums")]
    [InlineData(Fault.Infinity, "tensor t1.weight", "not finite at flat index 0")]
    public void A_fault_of_its_code_is_an_error_that_names_it(Fault fault, string where, string message)
    {
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => _folder.Merge(Recipe with { Fault = fault }, "out", threads: 3)).Problems);
        Assert.Equal("SM7044", problem.Id);
        Assert.Contains(where, problem.Where, StringComparison.Ordinal);
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "out")));
    }

    [Fact]
    public void An_id_belongs_to_one_method()
    {
        var taken = Assert.Throws<InvalidOperationException>(() => Slots.Register("ties", typeof(Scaled), () => new Scaled(), []));
        Assert.Contains("taken by Smelt.Recipes.Ties", taken.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => Slots.Register("tests.scaled", typeof(ElementMethodTests), () => new Scaled(), []));
        Assert.Equal("tests.scaled", Slots.MethodId(typeof(Scaled)));
        Assert.IsType<Scaled>(Slots.Create("tests.scaled"));
    }

    /// <summary>What a method can do wrong.</summary>
    public enum Fault
    {
        /// <summary>Nothing.</summary>
        None,

        /// <summary>Merge throws.</summary>
        Merge,

        /// <summary>Measure throws.</summary>
        Measure,

        /// <summary>Sums throws.</summary>
        Sums,

        /// <summary>A result is infinite.</summary>
        Infinity,
    }

    /// <summary>t * mean |d_1| * sum w_i d_i.</summary>
    public sealed record Scaled : TaskVectorRecipe, IElementMethod
    {
        public Scalar? T { get; init; }

        public Fault Fault { get; init; }

        public int Sums(int experts) => Fault == Fault.Sums ? throw new InvalidOperationException("no\nsums") : 2;

        public void Measure(in TensorElements elements, Span<double> sums)
        {
            if (Fault == Fault.Measure)
                sums[2] = 0;
            Assert.InRange(elements.Length, 1, 4096);
            Assert.Equal(0, elements.Start % 4096);
            for (var e = 0; e < elements.Length; e++)
                sums[0] += Math.Abs((double)elements.Expert(0)[e] - elements.Base[e]);
            sums[1] += elements.Length;
        }

        public void Merge(in TensorElements elements, Span<float> result)
        {
            if (Fault == Fault.Merge)
                throw new DivideByZeroException();
            Assert.Equal(elements.TensorLength, elements.Sums[1]);
            var factor = (float)(T!.Value * elements.Sums[0] / elements.Sums[1]);
            for (var e = 0; e < elements.Length; e++)
            {
                var sum = 0f;
                for (var i = 0; i < elements.Weights.Length; i++)
                    sum += (float)elements.Weights[i] * (elements.Expert(i)[e] - elements.Base[e]);
                result[e] = Fault == Fault.Infinity ? float.PositiveInfinity : factor * sum;
            }
        }
    }
}
