namespace Smelt.Checkpoints;

/// <summary>Reads of files that others gave, where opening a pipe or reading an endless device would hang.</summary>
public static class InputFile
{
    /// <summary>
    /// Whether a file has no bytes, or none that can be counted: pipes and devices have a length of 0, and are not opened to tell them
    /// from empty files.
    /// </summary>
    /// <exception cref="IOException">There is no such file.</exception>
    public static bool IsEmpty(string path)
    {
        var file = new FileInfo(path);
        return ((file.LinkTarget is null ? null : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo) ?? file).Length == 0;
    }

    /// <summary>All bytes of a file; none of a pipe or a device.</summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static byte[] ReadAllBytes(string path) => IsEmpty(path) ? [] : File.ReadAllBytes(path);
}
