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

    /// <summary>The files of each sweep point by their names in it: weights, then masks.</summary>
    private readonly Dictionary<string, (string Path, LayoutFile Layout)>[] _files;

    /// <param name="plan">The plan.</param>
    /// <param name="folders">The folder of each sweep point.</param>
    public OutputFiles(MergePlan plan, string[] folders)
    {
        _plan = plan;
        _folders = folders;
        _files = new Dictionary<string, (string Path, LayoutFile Layout)>[folders.Length];
        for (var i = 0; i < folders.Length; i++)
        {
            _files[i] = [];
            foreach (var (name, layout) in FilesOf(plan))
                _files[i].Add(name, (System.IO.Path.GetFullPath(System.IO.Path.Combine(folders[i], name)), layout));
        }

        _handles = new HandleCache(path => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite));
    }

    /// <summary>The files that an output is written to block by block, by their paths in it.</summary>
    public static IEnumerable<(string Name, LayoutFile Layout)> FilesOf(MergePlan plan)
    {
        foreach (var file in plan.Layout.Files)
            yield return (file.Name, file);
        if (plan.MaskOutputs is not { } masks)
            yield break;
        foreach (var name in masks.Names)
            yield return (MaskOutputs.FileOf(name), masks.Layout.Files[0]);
    }

    /// <summary>Makes every file at its full size, so that a limit on file sizes is met now and not later.</summary>
    public void Create()
    {
        for (var i = 0; i < _folders.Length; i++)
        {
            foreach (var (path, layout) in _files[i].Values)
            {
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
                using var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None);
                SetLength(handle, layout.TotalBytes, path);
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
            var own = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (path, _) in _files[i].Values)
                own.Add(path);
            foreach (var path in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            {
                if (!own.Contains(path))
                    File.Delete(path);
            }

            foreach (var (path, layout) in _files[i].Values)
            {
                using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                RandomAccess.Write(handle, layout.Header.Span, 0);
            }

            if (_plan.Layout.Index is { } index)
                File.WriteAllText(System.IO.Path.Combine(folder, ShardLayout.IndexName), index);
        }
    }

    /// <summary>Whether every file is there at its full size.</summary>
    public bool Exist() => _files.All(files => files.Values.All(file =>
        new FileInfo(file.Path) is { Exists: true } info && info.Length == file.Layout.TotalBytes));

    /// <summary>Writes bytes of a tensor of one sweep point.</summary>
    public void Write(int point, int tensor, long byteOffset, ReadOnlySpan<byte> bytes)
    {
        var place = _plan.Layout[tensor];
        using var handle = _handles.Rent(_files[point][place.File.Name].Path);
        RandomAccess.Write(handle.File, bytes, place.Offset + byteOffset);
    }

    /// <summary>Reads bytes of a tensor of one sweep point.</summary>
    public void Read(int point, int tensor, long byteOffset, Span<byte> bytes)
    {
        var place = _plan.Layout[tensor];
        using var handle = _handles.Rent(_files[point][place.File.Name].Path);
        if (RandomAccess.Read(handle.File, bytes, place.Offset + byteOffset) != bytes.Length)
            throw new IOException($"{_files[point][place.File.Name].Path} is shorter than it was made.");
    }

    /// <summary>Writes a run of a mask of one sweep point, from an element that is a multiple of 8.</summary>
    public void WriteMask(int point, int mask, SubBlock part, ReadOnlySpan<byte> bytes)
    {
        using var handle = _handles.Rent(MaskPath(point, mask));
        RandomAccess.Write(handle.File, bytes, _plan.MaskOutputs!.OffsetOf(part.Tensor.Index)!.Value + (part.Start / 8));
    }

    /// <summary>The XxHash128 of a block of a stream (see <see cref="MergePlan.Streams"/>) as it is on the disk.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="block">The block.</param>
    /// <param name="hash">Takes the hash; nothing is left in it.</param>
    /// <param name="buffer">Room to read into.</param>
    public UInt128 HashOf(int stream, Block block, XxHash128 hash, Span<byte> buffer)
    {
        if (stream < _folders.Length)
        {
            var (start, end) = block.Tensor.ByteRange(block.Start, block.Length);
            var place = _plan.Layout[block.Tensor.Index];
            Append(hash, _files[stream][place.File.Name].Path, place.Offset + start, end - start, buffer);
        }
        else
        {
            var mask = stream - _folders.Length;
            var (point, name) = (mask / _plan.MaskOutputs!.Names.Count, mask % _plan.MaskOutputs.Names.Count);
            if (_plan.MaskOutputs.OffsetOf(block.Tensor.Index) is { } offset)
                Append(hash, MaskPath(point, name), offset + (block.Start / 8), MaskOutputs.BytesOf(block.Length), buffer);
        }

        var result = hash.GetCurrentHashAsUInt128();
        hash.Reset();
        return result;
    }

    private string MaskPath(int point, int mask) => _files[point][MaskOutputs.FileOf(_plan.MaskOutputs!.Names[mask])].Path;

    private void Append(XxHash128 hash, string path, long offset, long length, Span<byte> buffer)
    {
        using var handle = _handles.Rent(path);
        for (var end = offset + length; offset < end;)
        {
            var read = RandomAccess.Read(handle.File, buffer[..(int)Math.Min(buffer.Length, end - offset)], offset);
            if (read == 0)
                return;
            hash.Append(buffer[..read]);
            offset += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handles.Dispose();
}
