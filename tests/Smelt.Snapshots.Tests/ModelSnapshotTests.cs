using Smelt.Checkpoints;

namespace Smelt.Snapshots.Tests;

/// <summary>A model's snapshot tells any changed bit, and where it is.</summary>
public sealed class ModelSnapshotTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smelt-snapshots-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Take(Action<float[]>? change = null, string second = "b c")
    {
        float[] values = [1, -2, 3, 0.5f, 0, 4];
        change?.Invoke(values);
        var layout = ShardLayout.Create([new LayoutTensor("a", TensorType.F32, [2, 2]), new LayoutTensor(second, TensorType.F32, [2])], long.MaxValue);
        using (var stream = File.Create(Path.Combine(_folder, "model.safetensors")))
        {
            stream.Write(layout.Files[0].Header.Span);
            stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        }

        return ModelSnapshot.Of(_folder, "abc", CancellationToken.None);
    }

    [Fact]
    public void It_holds_extremes_mean_and_norm_of_every_tensor()
    {
        var lines = Take().Split('\n');
        Assert.Equal("configuration abc", lines[1]);
        Assert.StartsWith("tensor a F32 [2,2] ", lines[2], StringComparison.Ordinal);
        Assert.EndsWith(" -2 3 0.625 3.77491722 0", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("tensor b\\x20c F32 [2] ", lines[3], StringComparison.Ordinal);
        Assert.Equal(Take(), Take());
    }

    [Fact]
    public void A_difference_names_the_tensor_and_what_changed_in_it()
    {
        var before = Take();
        Assert.Equal("  a: max 3 became 5; mean 0.625 became 1.125; norm 3.77491722 became 5.5", ModelSnapshot.Differences(before, Take(v => v[2] = 5)));
        Assert.Equal("  a: other bytes with the same extremes, mean and norm", ModelSnapshot.Differences(before, Take(v => (v[0], v[1]) = (v[1], v[0]))));
        Assert.Contains("not finite 0 became 1", ModelSnapshot.Differences(before, Take(v => v[5] = float.NaN)), StringComparison.Ordinal);
        var renamed = ModelSnapshot.Differences(before, Take(second: "d"));
        Assert.Contains("b\\x20c is gone", renamed, StringComparison.Ordinal);
        Assert.Contains("d is new", renamed, StringComparison.Ordinal);
    }
}
