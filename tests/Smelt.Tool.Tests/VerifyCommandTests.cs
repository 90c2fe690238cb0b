namespace Smelt.Tool.Tests;

/// <summary><c>smelt verify</c> finds whatever is not as it was written.</summary>
public sealed class VerifyCommandTests : IDisposable
{
    private readonly Workspace _work = new();
    private readonly string _output;
    private readonly string _weights;

    public VerifyCommandTests()
    {
        _work.Tensors("base", ("a", [1, 2, 3]), ("b", [4]), ("empty", []));
        _work.Tensors("one", ("a", [2, 2, 3]), ("b", [5]), ("empty", []));
        _work.Tensors("two", ("a", [1, 4, 3]), ("b", [6]), ("empty", []));
        _output = _work["merged"];
        var merge = new Captured();
        Assert.Equal(ExitCode.Done, merge.Run("run", _work.TaskArithmetic("sum.json", "1", "base", "one", "two"), "--out", _output));
        _weights = Path.Combine(_output, "model.safetensors");
    }

    public void Dispose() => _work.Dispose();

    [Fact]
    public void An_output_as_it_was_written_is_whole_and_so_are_its_inputs()
    {
        var captured = Verify("--inputs", "--root", _work.Folder);
        Assert.Equal("", captured.Error);
        Assert.Contains("12 tensors", captured.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_flipped_bit_of_every_file_is_found()
    {
        FlipEvery(_output);

        // Shards have an index.
        var sharded = _work["sharded"];
        _work.Write("shards.json", File.ReadAllText(_work["sum.json"]).TrimEnd().TrimEnd('}') + ", \"maxShardSize\": 8}");
        Assert.Equal(ExitCode.Done, new Captured().Run("run", _work["shards.json"], "--out", sharded));
        Assert.True(File.Exists(Path.Combine(sharded, "model.safetensors.index.json")));
        FlipEvery(sharded);
    }

    private static void FlipEvery(string output)
    {
        foreach (var file in Directory.GetFiles(output))
        {
            var bytes = File.ReadAllBytes(file);
            for (var i = 0; i < bytes.Length; i += bytes.Length > 2000 ? 17 : 1)
            {
                var bit = (byte)(1 << (i % 8));
                bytes[i] ^= bit;
                File.WriteAllBytes(file, bytes);
                bytes[i] ^= bit;

                // White space, version and names of inputs in the manifest itself mean nothing to the bytes of the output.
                if (Path.GetFileName(file) != "smelt.json")
                    Assert.NotEqual(ExitCode.Done, new Captured().Run("verify", output));
            }

            File.WriteAllBytes(file, bytes);
        }

        Assert.Equal(ExitCode.Done, new Captured().Run("verify", output));
    }

    [Fact]
    public void All_tensors_that_differ_are_named()
    {
        Flip(_weights, ^1);
        Flip(_weights, ^5);
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _output));
        Assert.Contains("tensor a", captured.Error, StringComparison.Ordinal);
        Assert.Contains("tensor b", captured.Error, StringComparison.Ordinal);
        Assert.Contains("SM7016", captured.Error, StringComparison.Ordinal);
        Assert.Contains("2 errors", captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_input_is_found_only_when_asked_for()
    {
        Flip(_work["one/model.safetensors"], ^2);
        Verify();
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _output, "--inputs", "--root", _work.Folder));
        Assert.Contains("SM7017", captured.Error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine("one", "model.safetensors"), captured.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("README.md")]
    [InlineData("model.safetensors")]
    public void A_missing_file_is_found(string name)
    {
        File.Delete(Path.Combine(_output, name));
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _output));
        Assert.Contains(name, captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_manifest_and_a_damaged_manifest_are_errors()
    {
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _work["one"]));
        Assert.Contains("SM7015", captured.Error, StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(_output, "smelt.json"), "{");
        captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _output));
        Assert.Contains("damaged", captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void All_points_of_a_sweep_are_verified()
    {
        var merge = new Captured();
        merge.Run("run", _work.TaskArithmetic("sweep.json", """{"sweep": [0.5, 1]}""", "base", "one", "two"), "--out", _work["points"]);
        Assert.Equal(ExitCode.Done, new Captured().Run("verify", _work["points"]));
        Flip(_work["points/lambda=1/model.safetensors"], ^1);
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _work["points"]));
        Assert.Contains("lambda=1", captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_flipped_bit_of_the_manifest_is_never_a_fault_of_the_tool()
    {
        var file = Path.Combine(_output, "smelt.json");
        var bytes = File.ReadAllBytes(file);
        for (var i = 0; i < bytes.Length; i++)
        {
            var bit = (byte)(1 << (i % 8));
            bytes[i] ^= bit;
            File.WriteAllBytes(file, bytes);
            bytes[i] ^= bit;
            var captured = new Captured();
            Assert.NotEqual(ExitCode.Failed, captured.Run("verify", _output, "--inputs", "--root", _work.Folder));
            Assert.DoesNotContain("internal error", captured.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tensors_of_whole_files_are_verified_beside_a_damaged_one()
    {
        var file = _work.Write("shards.json", """
            {"version": 1, "name": "shards", "method": "average", "maxShardSize": 8,
             "experts": [{"model": {"folder": "one"}}, {"model": {"folder": "two"}}]}
            """);
        Assert.Equal(ExitCode.Done, new Captured().Run("run", file, "--out", _work["shards"]));
        var weights = Directory.GetFiles(_work["shards"], "*.safetensors").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(2, weights.Length);
        Assert.Equal(ExitCode.Done, new Captured().Run("verify", _work["shards"]));

        using (var cut = File.OpenWrite(weights[0]))
            cut.SetLength(cut.Length - 1);
        Flip(weights[1], ^1);
        File.Copy(weights[1], Path.Combine(_work["shards"], "more.safetensors"));
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _work["shards"]));
        Assert.Contains("cut off", captured.Error, StringComparison.Ordinal);
        Assert.Contains("not verified", captured.Error, StringComparison.Ordinal);
        Assert.Contains(weights[1] + ", tensor b", captured.Error, StringComparison.Ordinal);
        Assert.Contains("more.safetensors", captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_names_no_file_outside_its_folder()
    {
        var file = Path.Combine(_output, "smelt.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"README.md\"", "\"../base/config.json\"", StringComparison.Ordinal));
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _output));
        Assert.Contains("SM7015", captured.Error, StringComparison.Ordinal);
        Assert.Contains("'../base/config.json'", captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_point_of_a_sweep_is_found()
    {
        new Captured().Run("run", _work.TaskArithmetic("sweep.json", """{"sweep": [0.5, 1]}""", "base", "one", "two"), "--out", _work["points"]);
        Directory.Delete(_work["points/lambda=1"], recursive: true);
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _work["points"]));
        Assert.Contains(_work["points/lambda=1"], captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_changed_input_is_found_beside_a_missing_one()
    {
        Directory.Delete(_work["base"], recursive: true);
        Flip(_work["one/model.safetensors"], ^2);
        Flip(_work["two/model.safetensors"], ^2);
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _output, "--inputs", "--root", _work.Folder));
        Assert.Contains("SM6001", captured.Error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine("one", "model.safetensors"), captured.Error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine("two", "model.safetensors"), captured.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    [InlineData("signs")]
    public void A_changed_input_of_a_stage_is_found_and_so_is_a_file_of_signs(string changed)
    {
        _work.Tensors("signs", ("a", [1, 1, -1]), ("b", [1]), ("empty", []));
        var file = _work.Write("stages.json", """
            {"version": 1, "name": "stages", "method": "average",
             "experts": [{"model": {"name": "first", "stage": {"method": "ties", "election": "signFile", "signFile": "signs", "base": {"folder": "base"}, "experts": [{"model": {"folder": "one"}}]}}},
                         {"model": {"folder": "two"}}]}
            """);
        var merge = new Captured();
        merge.Run("run", file, "--out", _work["staged"]);
        Assert.Equal("", merge.Error);
        string[] verify = ["verify", _work["staged"], "--inputs", "--root", _work.Folder];
        Assert.Equal(ExitCode.Done, new Captured().Run(verify));

        Flip(_work[$"{changed}/model.safetensors"], ^2);
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run(verify));
        Assert.Contains("SM7017", captured.Error, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(changed, "model.safetensors"), captured.Error, StringComparison.Ordinal);
        Assert.Contains("1 error", captured.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_signs_of_a_part_that_makes_no_tensor_is_no_trouble()
    {
        var file = _work.Write("parts.json", """
            {"version": 1, "name": "parts", "method": "modules", "base": {"folder": "base"}, "parts": [
             {"match": "none.**", "merge": {"method": "ties", "election": "signFile", "signFile": "one", "base": {"folder": "base"}, "experts": [{"model": {"folder": "one"}}]}},
             {"match": "**", "merge": {"method": "average", "experts": [{"model": {"folder": "one"}}, {"model": {"folder": "two"}}]}}]}
            """);
        var merge = new Captured();
        Assert.True(merge.Run("run", file, "--out", _work["parts"]) == ExitCode.Done, merge.Error);
        Assert.Equal(ExitCode.Done, new Captured().Run("verify", _work["parts"], "--inputs", "--root", _work.Folder));
    }

    [Fact]
    public void Inputs_that_a_manifest_has_no_hashes_of_are_named()
    {
        var file = Path.Combine(_output, "smelt.json");
        var manifest = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(file))!;
        manifest["inputs"]!.AsArray().RemoveAt(2);
        File.WriteAllText(file, manifest.ToJsonString());
        var captured = new Captured();
        Assert.Equal(ExitCode.BadInput, captured.Run("verify", _output, "--inputs", "--root", _work.Folder));
        Assert.Contains("SM7015 at two: smelt.json has no hashes of this input", captured.Error, StringComparison.Ordinal);
    }

    private Captured Verify(params string[] options)
    {
        var captured = new Captured();
        Assert.Equal(ExitCode.Done, captured.Run(["verify", _output, .. options]));
        return captured;
    }

    private static void Flip(string file, Index index)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[index] ^= 4;
        File.WriteAllBytes(file, bytes);
    }
}
