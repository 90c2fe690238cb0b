namespace Smelt.Conformance;

/// <summary>A temporary folder that goes with its user.</summary>
internal sealed class ScratchFolder : IDisposable
{
    /// <summary>The folder's path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("smelt-conformance-").FullName;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
