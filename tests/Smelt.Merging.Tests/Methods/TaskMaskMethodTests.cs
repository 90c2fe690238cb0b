using System.Collections;
using System.Text.Json.Nodes;
using Smelt.Checkpoints;
using Smelt.Merging.Execution;
using Smelt.Merging.Planning;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Methods;

/// <summary>TALL masks, Consensus and EMR, against their formulas written anew, and the restoration of tasks from their outputs.</summary>
public class TaskMaskMethodTests
{
    private static readonly string[] Names = ["e1", "e2", "e3"];
    private static readonly string[] Tensors = ["long", "matrix", "scalar"];

    private static MatrixModels Models()
    {
        var models = new MatrixModels(("scalar", []), ("matrix", [37, 23]), ("empty", [0, 4]), ("long", [70_001]));
        models.WriteNoise("base", 1, 0.1f);
        for (var i = 1; i <= Names.Length; i++)
            models.WriteNoise($"e{i}", i + 1, 0.01f * i, around: "base");
        return models;
    }

    private static Sequence<Expert> Experts => Sequence.From(Names.Select(n => new Expert(Folder(n))));

    private static bool[] Mask(string output, string name, string tensor, int n)
    {
        var checkpoint = CheckpointFolder.Open(Path.Combine(output, "masks", name + ".safetensors"));
        Assert.True(checkpoint.TryGet(tensor, out var stored));
        Assert.Equal((n + 7) / 8, stored.ElementCount);
        var bytes = new byte[stored.ByteLength];
        using var reader = new CheckpointReader();
        reader.Read(stored, 0, bytes);
        var bits = new BitArray(bytes).Cast<bool>().ToArray();
        Assert.DoesNotContain(true, bits[n..]);
        return bits[..n];
    }

    private static Dictionary<string, float[]> Restore(MatrixModels models, string output, string task)
    {
        var plan = TaskRestorer.Plan(output, task, null, models.PathOf(""));
        var folder = $"{output}-{task}";
        MergeExecutor.Run(plan, new MergeOptions { Output = folder, Durable = false }, new ProgressCounter(), CancellationToken.None);
        return models.Values(folder);
    }

    [Theory]
    [InlineData(MaskComparison.Models)]
    [InlineData(MaskComparison.BaseWeights)]
    public void Tall_masks_are_on_where_the_sum_is_near_enough_to_the_expert(MaskComparison compare)
    {
        using var models = Models();
        var output = models.Run(new TallMasks { Base = Folder("base"), Experts = Experts, MaskLambda = 0.7, Compare = compare }).Folders[0];
        foreach (var tensor in Tensors)
        {
            var b = models.Values("base")[tensor];
            float[][] x = [.. Names.Select(n => models.Values(n)[tensor])];
            float[] t = [.. b.Select((v, e) => 0f + (x[0][e] - v) + (x[1][e] - v) + (x[2][e] - v))];
            Assert.Equal(b.Zip(t, (v, s) => v + s), models.Values(output)[tensor]);
            for (var i = 0; i < Names.Length; i++)
            {
                bool[] expected = [.. b.Select((v, e) => compare == MaskComparison.Models
                    ? Math.Abs(v - x[i][e]) > Math.Abs((v + t[e]) - x[i][e]) * 0.7f
                    : Math.Abs(v - (x[i][e] - v)) > Math.Abs(t[e] - (x[i][e] - v)) * 0.7f)];
                Assert.Equal(expected, Mask(output, Names[i], tensor, b.Length));
                var restored = i == 0 ? Restore(models, output, Names[i])[tensor] : null;
                for (var e = 0; e < restored?.Length; e++)
                    Assert.Equal(expected[e] ? b[e] + t[e] : b[e], restored[e], 1e-7f);
                if (restored is not null)
                    Directory.Delete($"{output}-{Names[i]}", recursive: true);
            }
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void Consensus_keeps_what_enough_masks_want(int atLeast, bool ties)
    {
        using var models = Models();
        var recipe = new Consensus { Base = Folder("base"), Experts = Experts, MaskLambda = 0.5, AtLeast = atLeast, Lambda = 0.4, SaveMask = true };
        var plain = new Ties { Base = Folder("base"), Experts = Experts, Density = 1, Election = Election.None, Normalize = false };
        if (ties)
        {
            recipe = recipe with { Density = 0.3, Election = Election.Unweighted };
            plain = plain with { Density = 0.3, Election = Election.Unweighted };
        }

        var (output, multi) = (models.Run(recipe).Folders[0], models.Merge(plain with { Lambda = 1 }));
        var scaled = models.Merge(plain with { Lambda = 0.4 });
        Assert.Equal(["consensus.safetensors"], Directory.GetFiles(Path.Combine(output, "masks")).Select(f => Path.GetFileName(f)!));
        Assert.False(File.Exists(Path.Combine(output, "tasks.json")));
        Assert.False(Directory.Exists(Path.Combine(models.Run(recipe with { SaveMask = null }).Folders[0], "masks")));
        foreach (var tensor in Tensors)
        {
            var b = models.Values("base")[tensor];
            float[][] x = [.. Names.Select(n => models.Values(n)[tensor])];
            var (mask, merged) = (Mask(output, "consensus", tensor, b.Length), models.Values(output)[tensor]);
            var wrong = 0;
            for (var e = 0; e < b.Length; e++)
            {
                wrong += mask[e] != (x.Count(v => Math.Abs(b[e] - v[e]) > Math.Abs(multi[tensor][e] - v[e]) * 0.5f) >= atLeast) ? 1 : 0;
                Assert.Equal(mask[e] ? scaled[tensor][e] : b[e], merged[e]);
            }

            Assert.Equal(0, wrong);
        }
    }

    [Fact]
    public void Emr_elects_masks_and_rescales()
    {
        using var models = Models();
        var output = models.Run(new Emr { Base = Folder("base"), Experts = Experts }).Folders[0];
        var rescalers = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "tasks.json")))!["tasks"]!.AsArray().Select(t => t!["rescaler"]!.GetValue<float>()).ToArray();
        var (all, unified) = (new double[3], new double[3]);
        var restored = Names.Select(n => Restore(models, output, n)).ToArray();
        foreach (var tensor in Tensors)
        {
            var b = models.Values("base")[tensor];
            float[][] d = [.. Names.Select(n => models.Values(n)[tensor].Zip(b, (x, v) => x - v).ToArray())];
            float[] u = [.. Enumerable.Range(0, b.Length).Select(e =>
            {
                var sign = 0f + d[0][e] + d[1][e] + d[2][e] > 0 ? 1 : -1;
                return sign * d.Max(v => v[e] * sign > 0 ? Math.Abs(v[e]) : 0);
            })];
            Assert.Equal(b.Zip(u, (v, t) => v + t), models.Values(output)[tensor]);
            for (var i = 0; i < Names.Length; i++)
            {
                bool[] mask = [.. u.Select((t, e) => d[i][e] * (double)t > 0)];
                Assert.Equal(mask, Mask(output, Names[i], tensor, b.Length));
                all[i] += d[i].Average(v => Math.Abs((double)v));
                unified[i] += u.Select((t, e) => mask[e] ? Math.Abs((double)t) : 0).Average();
                for (var e = 0; e < b.Length; e++)
                    Assert.Equal(b[e] + (mask[e] ? rescalers[i] * u[e] : 0), restored[i][tensor][e], 1e-6f);
            }
        }

        for (var i = 0; i < Names.Length; i++)
            Assert.Equal(all[i] / unified[i], rescalers[i], 1e-6);
    }

    [Fact]
    public void An_expert_that_is_the_base_has_an_empty_mask_and_no_rescaler()
    {
        using var models = Models();
        models.Write("e2", name => models.Values("base")[name]);
        var output = models.Run(new Emr { Base = Folder("base"), Experts = Experts }).Folders[0];
        Assert.All(Tensors, t => Assert.DoesNotContain(true, Mask(output, "e2", t, models.Values("base")[t].Length)));
        Assert.Equal(1f, TaskRestorer.Tasks(output)[1].Rescaler);
        Assert.Equal(models.Values("base")["long"], Restore(models, output, "e2")["long"]);
    }

    [Fact]
    public void A_single_expert_comes_back_whole()
    {
        using var models = Models();
        foreach (Recipe recipe in new Recipe[] { new Emr(), new TallMasks { MaskLambda = 0 } })
        {
            var output = models.Run(recipe with { Base = Folder("base"), Experts = [Folder("e1")] }).Folders[0];
            var restored = Restore(models, output, "e1");
            foreach (var tensor in Tensors)
            {
                for (var e = 0; e < restored[tensor].Length; e++)
                    Assert.Equal(models.Values("e1")[tensor][e], restored[tensor][e], 1e-7f);
            }

            Directory.Delete($"{output}-e1", recursive: true);
        }
    }

    [Fact]
    public void A_sweep_has_the_masks_of_each_point()
    {
        using var models = Models();
        var recipe = new TallMasks { Base = Folder("base"), Experts = Experts };
        var result = models.Run(recipe with { MaskLambda = Sweep(0.3, 0.6), Lambda = Sweep(1, 0.5) });
        foreach (var folder in result.Folders)
        {
            var point = result.Plan.Points[result.Folders.ToList().IndexOf(folder)].Recipe;
            Assert.Equal(models.Bytes(models.Run(point).Folders[0]), models.Bytes(folder));
            Assert.Empty(Verification.Run(folder, false, ".", 1, new ProgressCounter(), CancellationToken.None).Problems);
        }
    }

    [Fact]
    public void A_mask_of_bytes_is_taken_like_one_of_bits()
    {
        using var models = Models();
        models.Write("mask", name => [.. models.Values("base")[name].Select(v => v > 0 ? 1f : 0)], TensorType.U8);
        var merged = models.Merge(new Masked { Base = Folder("base"), Experts = [Folder("e1")], MaskFile = "mask", Lambda = 2 });
        foreach (var tensor in Tensors)
        {
            var (b, x) = (models.Values("base")[tensor], models.Values("e1")[tensor]);
            Assert.Equal(b.Zip(x, (v, o) => v > 0 ? v + (2 * (o - v)) : v), merged[tensor]);
        }
    }

    [Fact]
    public void Parts_of_a_whole_take_their_own_files()
    {
        using var models = Models();
        models.Write("mask", name => [.. models.Values("base")[name].Select(v => v > 0 ? 1f : 0)], TensorType.U8);
        using var one = new MatrixModels(("long", [70_001]));
        one.Write("mask", _ => [.. models.Values("base")["long"].Select(v => v > 0 ? 1f : 0)], TensorType.U8);
        var masked = new Masked { Base = Folder("base"), Experts = [Folder("e1")], MaskFile = "mask" };
        var signed = new Ties { Base = Folder("base"), Experts = Experts, Trim = TrimScope.Tensor, Election = Election.SignFile, SignFile = "e2" };
        var merged = models.Merge(new Modules { Parts = [Part("long", masked with { MaskFile = one.PathOf("mask") }), Part("**", signed)] });
        Assert.Equal(models.Merge(masked)["long"], merged["long"]);
        Assert.Equal(models.Merge(signed)["matrix"], merged["matrix"]);
        Assert.Equal("SM7010", Assert.Throws<InvalidInputException>(() => models.Merge(new Modules { Parts = [Part("long", masked), Part("**", signed)] })).Problems[0].Id);
    }

    [Fact]
    public void Statistics_of_a_part_are_of_its_own_tensors()
    {
        using var models = Models();
        foreach (Recipe recipe in new Recipe[]
        {
            new Pcb(), new Ties(), new Ties { Cut = Cut.Exact }, new Ties { Cut = Cut.Share, Density = 0.8, Election = Election.NormMass }, new Ties { Cut = Cut.Deviation, Deviations = 1 },
            new Ties { Trim = TrimScope.Tensor, Rescale = Rescale.L1, Stock = true },
        })
        {
            var whole = recipe with { Base = Folder("base"), Experts = Experts };
            var merged = models.Merge(new Modules { Parts = [Part("long", whole), Part("**", new TaskArithmetic { Base = Folder("base"), Experts = [Folder("e1")] })] });
            Assert.Equal(models.Merge(whole with { Tensors = [Keep("scalar", "matrix", "empty")] })["long"], merged["long"]);
        }
    }

    [Fact]
    public void A_mask_that_does_not_fit_is_refused()
    {
        using var models = Models();
        using var others = new MatrixModels(("matrix", [37, 22]), ("other", [4]));
        others.Write("mask", name => new float[name == "matrix" ? 37 * 22 : 4], TensorType.U8);
        var problems = Assert.Throws<InvalidInputException>(() => models.Merge(new Masked { Base = Folder("base"), Experts = [Folder("e1")], MaskFile = others.PathOf("mask") })).Problems;
        Assert.Equal(["SM7010", "SM7010"], problems.Select(p => p.Id));
        Assert.Contains("needed: 851 of U8, or 107", problems[0].Message, StringComparison.Ordinal);
        Assert.Contains("other", problems[1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tasks_have_names_of_their_own()
    {
        string[] Of(params Model[] models) => [.. TaskNames.Of(new Emr { Experts = Sequence.From(models.Select(m => new Expert(m))) })];
        Assert.Equal(["math", "code", "c"], Of(Folder("runs/math"), Folder("code/"), Folder("a/b/c.safetensors")));
        Assert.Equal(["final-0", "final-1", "x"], Of(Folder("math/final"), Folder("code/Final"), Folder("x")).Select(n => n.ToLowerInvariant()));
        Assert.Equal(["a-0-0", "a-1", "a-0-2"], Of(Folder("1/a"), Folder("2/a"), Folder("a-0")));
        Assert.Equal(["zephyr-7b_beta", "task"], Of(Hub("HuggingFaceH4/zephyr-7b_beta"), Folder("...")));
        Assert.Equal(["m_th"], Of(Folder("mäth")));
    }

    [Theory]
    [InlineData("""{"version":1,"name":"a","method":"emr","base":{"folder":"b"},"layers":[0,2],"experts":[{"model":{"folder":"x"}}]}""")]
    [InlineData("""{"version":1,"name":"a","method":"tall_masks","base":{"folder":"b"},"missing":"union","trim":"tensor","experts":[{"model":{"folder":"x"}}]}""")]
    [InlineData("""{"version":1,"name":"a","method":"modules","base":{"folder":"b"},"parts":[{"match":"**","merge":{"method":"emr","base":{"folder":"b"},"experts":[{"model":{"folder":"x"}}]}}]}""")]
    public void Masks_go_with_whole_outputs(string text) =>
        Assert.Equal(["SM1013"], ConfigurationReader.Read(text, "test.json").Problems.Select(p => p.Id));
}
