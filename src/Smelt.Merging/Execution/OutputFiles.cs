using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using Smelt.Checkpoints;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>The weight files of all outputs of a merge, at their full size from the start, written at known offsets.</summary>
internal sealed class OutputFiles : IDisposable
{
    private readonly MergePlan _plan;
    private readonly string[] _folders;
    private readonly HandleCache _handles;

    /// <summary>The path of each file of the layout at each sweep point.</summary>
    private readonly Dictionary<string, string>[] _paths;

    /// <param name="plan">The plan.</param>
    /// <param name="folders">The folder of each sweep point.</param>
    public OutputFiles(MergePlan plan, string[] folders)
    {
        _plan = plan;
        _folders = folders;
        _paths = [.. folders.Select(folder => plan.Layout.Files.ToDictionary(f => f.Name, f => System.IO.Path.Combine(folder, f.Name)))];
        _handles = new HandleCache(path => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite));
    }

    /// <summary>Makes every file at its full size, so that a limit on file sizes is met now and not later.</summary>
    public void Create()
    {
        for (var i = 0; i < _folders.Length; i++)
        {
            Directory.CreateDirectory(_folders[i]);
            foreach (var file in _plan.Layout.Files)
            {
                var path = _paths[i][file.Name];
                using var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None);
                SetLength(handle, file.TotalBytes, path);
            }
        }
    }

    private static void SetLength(SafeFileHandle handle, long bytes, string path)
    {
        try
        {
            RandomAccess.SetLength(handle, bytes);
        }
        catch (ArgumentOutOfRangeException)
        {
            // What the runtime makes of a file system, or a limit, that takes no file of this size.
            throw new IOException($"File too large: {path} would have {bytes} bytes.");
        }
    }

    /// <summary>
    /// Writes every header and the index, and removes what a stopped run left beside the weights. Done by every run: one
    /// that was killed at the wrong moment, or lost its last writes with the power, left files of full size without a header.
    /// </summary>
    public void WriteHeaders()
    {
        for (var i = 0; i < _folders.Length; i++)
        {
            var folder = _folders[i];
            foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Except(_paths[i].Values).ToArray())
                File.Delete(path);
            foreach (var file in _plan.Layout.Files)
            {
                using var handle = File.OpenHandle(_paths[i][file.Name], FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                RandomAccess.Write(handle, file.Header.Span, 0);
            }

            if (_plan.Layout.Index is { } index)
                File.WriteAllText(System.IO.Path.Combine(folder, ShardLayout.IndexName), index);
        }
    }

    /// <summary>Whether every file is there at its full size.</summary>
    public bool Exist() => _paths.All(paths => _plan.Layout.Files.All(file =>
        new FileInfo(paths[file.Name]) is { Exists: true } info && info.Length == file.TotalBytes));

    /// <summary>Writes bytes of a tensor of one sweep point.</summary>
    public void Write(int point, int tensor, long byteOffset, ReadOnlySpan<byte> bytes)
    {
        var place = _plan.Layout[tensor];
        using var handle = _handles.Rent(_paths[point][place.File.Name]);
        RandomAccess.Write(handle.File, bytes, place.Offset + byteOffset);
    }

    /// <summary>The XxHash128 of a block as it is on the disk.</summary>
    public UInt128 HashOf(int point, Block block)
    {
        var place = _plan.Layout[block.Tensor.Index];
        var (start, end) = block.Tensor.ByteRange(block.Start, block.Length);
        var bytes = new byte[end - start];
        using var handle = _handles.Rent(_paths[point][place.File.Name]);
        var read = RandomAccess.Read(handle.File, bytes, place.Offset + start);
        return XxHash128.HashToUInt128(bytes.AsSpan(0, read));
    }

    /// <inheritdoc/>
    public void Dispose() => _handles.Dispose();
}
