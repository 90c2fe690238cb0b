using System.IO.Hashing;
using System.Text;
using Smelt.Checkpoints;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>A file of an output that was written.</summary>
/// <param name="Name">Its relative path.</param>
/// <param name="Hash">Its XxHash128.</param>
internal sealed record SideFile(string Name, UInt128 Hash);

/// <summary>Writes what lies beside the weights: config.json, tokenizer of the donor, chat template, card and manifest.</summary>
internal static class SideFileWriter
{
    /// <summary>Writes all side files of a sweep point.</summary>
    /// <param name="plan">What was merged.</param>
    /// <param name="point">The sweep point.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="hashes">The hashes of tensors.</param>
    /// <param name="rescalers">The rescalers of the output's task masks; null where it has none.</param>
    public static void Write(MergePlan plan, int point, string folder, TensorHashes hashes, IReadOnlyList<float>? rescalers)
    {
        var written = new List<SideFile>();
        foreach (var (name, content) in SideFiles.For(plan.Donor.Checkpoint, plan.WeightType, plan.ChatTemplate))
            written.Add(new SideFile(name, Save(folder, name, name == SideFiles.ConfigName ? LayerConfig.Rewrite(content, plan.Layers) : content)));
        written.Add(new SideFile("README.md", Save(folder, "README.md", Encoding.UTF8.GetBytes(ModelCard.Write(plan, point)))));
        if (rescalers is not null)
            written.Add(new SideFile(TaskFile.FileName, Save(folder, TaskFile.FileName, Encoding.UTF8.GetBytes(TaskFile.Write(plan, rescalers)))));
        foreach (var (name, layout) in OutputFiles.FilesOf(plan))
            written.Add(new SideFile(name + ":header", XxHash128.HashToUInt128(layout.Header.Span)));
        if (plan.Layout.Index is { } index)
            written.Add(new SideFile(ShardLayout.IndexName, XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(index))));
        Manifest.Write(Path.Combine(folder, Manifest.FileName), plan, point, hashes, written);
    }

    private static UInt128 Save(string folder, string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return XxHash128.HashToUInt128(content);
    }
}
