namespace Smelt.Checkpoints;

/// <summary>One weight file of a checkpoint, with the identity it had when its header was read.</summary>
/// <param name="Name">The name relative to the checkpoint's folder.</param>
/// <param name="FullPath">The full path, links resolved.</param>
/// <param name="Length">The length in bytes.</param>
/// <param name="LastWriteTicks">The time of the last write, UTC ticks.</param>
public sealed record CheckpointFile(string Name, string FullPath, long Length, long LastWriteTicks)
{
    /// <summary>The file as it is now.</summary>
    /// <exception cref="InvalidInputException">There is no such file.</exception>
    public static CheckpointFile Of(string name, string path)
    {
        var info = new FileInfo(path);
        var target = info.Exists ? info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? info : info;
        if (!target.Exists)
            throw new InvalidInputException(CheckpointRules.NotFound.Id, path, "the file does not exist.");
        return new CheckpointFile(name, target.FullName, target.Length, target.LastWriteTimeUtc.Ticks);
    }

    /// <summary>A problem if the file is another than it was, else null.</summary>
    public Problem? VerifyUnchanged()
    {
        var now = new FileInfo(FullPath);
        if (!now.Exists)
            return CheckpointRules.Changed.At(FullPath, "the file was removed while it was in use.");
        return now.Length == Length && now.LastWriteTimeUtc.Ticks == LastWriteTicks
            ? null
            : CheckpointRules.Changed.At(
                FullPath,
                now.Length == Length ? "the file was written to while it was in use." : $"the file changed while it was in use: {Length} bytes before, {now.Length} now.",
                "Run again once nothing writes to it.");
    }
}

/// <summary>One tensor of a checkpoint.</summary>
/// <param name="File">The file that holds it, or the first of its parts.</param>
/// <param name="Info">Its place and shape.</param>
public sealed record CheckpointTensor(CheckpointFile File, TensorInfo Info)
{
    /// <summary>The tensors that it is read from one after another, all of one size; null for a tensor that is stored as such.</summary>
    public IReadOnlyList<CheckpointTensor>? Parts { get; private init; }

    /// <summary>Its name.</summary>
    public string Name => Info.Name;

    /// <summary>The type of its elements.</summary>
    public TensorType Type => Info.Type;

    /// <summary>Its shape, outermost dimension first.</summary>
    public IReadOnlyList<long> Shape => Info.Shape;

    /// <summary>The number of elements.</summary>
    public long ElementCount => Info.ElementCount;

    /// <summary>The first byte, counted from the start of the file.</summary>
    public long Offset => Info.Offset;

    /// <summary>The number of bytes.</summary>
    public long ByteLength => Info.ByteLength;

    /// <summary>A tensor made of others, one after another, which stay where they are.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its shape: as many elements as the parts have together.</param>
    /// <param name="parts">Tensors of one type and size.</param>
    /// <exception cref="ArgumentException">The parts differ in size or type, or the shape does not fit them.</exception>
    public static CheckpointTensor Joined(string name, IReadOnlyList<long> shape, IReadOnlyList<CheckpointTensor> parts)
    {
        var (elements, bytes) = (parts.Sum(p => p.ElementCount), parts.Sum(p => p.ByteLength));
        if (parts.Any(p => p.Type != parts[0].Type || p.ByteLength != parts[0].ByteLength) || shape.Aggregate(1L, (n, d) => n * d) != elements)
            throw new ArgumentException("The parts are of one type and size, and fill the shape.", nameof(parts));
        return new CheckpointTensor(parts[0].File, new TensorInfo(name, parts[0].Type, shape, elements, parts[0].Offset, bytes)) { Parts = parts };
    }
}

/// <summary>A model on disk, known by its headers.</summary>
public sealed class Checkpoint
{
    private readonly Dictionary<string, CheckpointTensor> _byName;

    internal Checkpoint(string path, string? folder, IReadOnlyList<CheckpointFile> files, IReadOnlyList<CheckpointTensor> tensors, IReadOnlyList<Problem> warnings)
    {
        Path = path;
        Folder = folder;
        Files = files;
        Tensors = tensors;
        Warnings = warnings;
        _byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>A checkpoint that is yet to be written, for planning what is made of it.</summary>
    /// <param name="path">What stands for its path in messages.</param>
    /// <param name="folder">The folder whose config.json it will have.</param>
    /// <param name="tensors">Its tensors.</param>
    public static Checkpoint Planned(string path, string? folder, IEnumerable<LayoutTensor> tensors)
    {
        var file = new CheckpointFile(CheckpointFolder.SingleName, path, 0, 0);
        return new Checkpoint(path, folder, [file], [.. tensors.Select(t => new CheckpointTensor(file, new TensorInfo(t.Name, t.Type, t.Shape, t.Shape.Aggregate(1L, (n, d) => n * d), 0, t.ByteLength)))], []);
    }

    /// <summary>The same files seen as other tensors.</summary>
    /// <param name="tensors">The tensors, made of those of this checkpoint.</param>
    public Checkpoint With(IReadOnlyList<CheckpointTensor> tensors) => new(Path, Folder, Files, tensors, Warnings);

    /// <summary>The folder or the file that was opened.</summary>
    public string Path { get; }

    /// <summary>The folder with config.json and tokenizer; null for a single weight file.</summary>
    public string? Folder { get; }

    /// <summary>The weight files.</summary>
    public IReadOnlyList<CheckpointFile> Files { get; }

    /// <summary>All tensors, in the order of the files and of the offsets in them.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <summary>What is odd but no error.</summary>
    public IReadOnlyList<Problem> Warnings { get; }

    /// <summary>Bytes of all tensors.</summary>
    public long TotalBytes => Tensors.Sum(t => t.ByteLength);

    /// <summary>The path of config.json; null where there is none.</summary>
    public string? ConfigPath => Folder is not null && System.IO.Path.Combine(Folder, "config.json") is var path && File.Exists(path) ? path : null;

    /// <summary>Finds a tensor by its name.</summary>
    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CheckpointTensor? tensor) =>
        _byName.TryGetValue(name, out tensor);
}
