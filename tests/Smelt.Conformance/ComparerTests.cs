using Smelt.Conformance.Mergekit;
using Smelt.Conformance.Originals;

namespace Smelt.Conformance;

/// <summary>The comparisons accept what other programs wrote, and refuse it with one element changed, for every case they know.</summary>
public class ComparerTests
{
    /// <summary>A relative change that is beyond every tolerance, of any case.</summary>
    private const float Change = 1e3f;

    [Fact]
    public void OriginalsAcceptTheirOwnResultAndRefuseAChangedOne()
    {
        foreach (var golden in GoldenCase.All(GoldenCase.Originals))
        {
            var expected = SafetensorsFile.Read(Path.Combine(golden.Folder, golden.Text("expected")));
            var same = OriginalsComparer.Compare(golden, expected);
            Assert.True(same.Agrees, $"{golden}: {same}");
            Assert.Equal(0, same.Worst);

            Assert.False(OriginalsComparer.Compare(golden, Changed(expected)).Agrees, golden.ToString());
            expected.Remove(expected.Keys.First());
            Assert.Contains("missing", Assert.Single(OriginalsComparer.Compare(golden, expected).Errors), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void MergekitAcceptsItsOwnResultAndRefusesAChangedOne()
    {
        string[] known = ["exact", "exact-except", "ulp", "set-at-threshold", "masks", "threshold-mask", "loose"];
        foreach (var golden in GoldenCase.All(GoldenCase.Mergekit).Where(c => known.Contains(c.Text("compare"))))
        {
            var folder = Path.Combine(golden.Folder, "expected");
            var same = MergekitComparer.Compare(golden, folder);
            Assert.True(same.Agrees, $"{golden}: {same}");
            if (golden.Text("compare") is not ("ulp" or "masks") || golden.OwnFile("expected/model.safetensors") is not { } file)
                continue;

            using var scratch = new ScratchFolder();
            SafetensorsFile.Write(Path.Combine(scratch.Path, "model.safetensors"), Changed(SafetensorsFile.Read(file)));
            var changed = MergekitComparer.Compare(golden, scratch.Path);
            Assert.Contains(changed.Errors, e => e.Contains("1 of", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void ToleranceIsMeasuredInTheFormatOfTheOutput()
    {
        var golden = GoldenCase.All(GoldenCase.Mergekit).First(c => c.Text("compare") == "ulp" && c.Json["config"]?["dtype"]?.GetValue<string>() == "float16" && c.OwnFile("expected/model.safetensors") is not null);
        var expected = SafetensorsFile.Read(golden.OwnFile("expected/model.safetensors")!);
        var ulps = golden.Json["tolerance"]!["ulp"]!.GetValue<int>();
        foreach (var (steps, agrees) in new[] { (0, true), (ulps, true), (ulps + 1, false) })
        {
            var moved = expected.ToDictionary(t => t.Key, t => t.Value);
            var (name, tensor) = expected.First(t => t.Value.Dtype == "F16");
            var bytes = tensor.Bytes.ToArray();
            // Steps upwards stay in the byte, and so in the binade, unless it is near its end.
            var index = Enumerable.Range(0, tensor.Count).First(i => bytes[i * 2] < 0xF0 && Math.Abs(tensor[i]) > 1e-3);
            bytes[index * 2] += (byte)steps;
            moved[name] = tensor with { Bytes = bytes };

            using var scratch = new ScratchFolder();
            SafetensorsFile.Write(Path.Combine(scratch.Path, "model.safetensors"), moved);
            File.Copy(Path.Combine(golden.Folder, "expected", "config.json"), Path.Combine(scratch.Path, "config.json"));
            Assert.Equal(agrees, MergekitComparer.Compare(golden, scratch.Path).Agrees);
        }
    }

    /// <summary>The tensors with one element changed, of the first that holds numbers where there is one.</summary>
    private static Dictionary<string, StoredTensor> Changed(Dictionary<string, StoredTensor> tensors)
    {
        var (name, tensor) = tensors.OrderByDescending(t => t.Value.IsFloat).First(t => t.Value.Count > 0);
        var bytes = tensor.Bytes.ToArray();
        if (tensor.Dtype == "F32")
            BitConverter.TryWriteBytes(bytes, (float)tensor[0] + Change);
        else if (tensor.IsFloat)
            bytes[1] ^= 0x40;
        else
            bytes[0] ^= 1;
        return new Dictionary<string, StoredTensor>(tensors) { [name] = tensor with { Bytes = bytes } };
    }
}
