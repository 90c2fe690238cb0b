namespace Smelt.Tool.Output;

/// <summary>Reads and writes the small text files of <c>import</c> and <c>export</c>.</summary>
internal static class TextFiles
{
    /// <summary>The bytes of a file.</summary>
    /// <exception cref="InvalidInputException">There is no such file.</exception>
    public static byte[] Read(string file) => File.Exists(file)
        ? File.ReadAllBytes(file)
        : throw new InvalidInputException(ToolRules.NoSuchSource.Id, file, "there is no such file.", "Name a configuration of mergekit (.yml).");

    /// <summary>Writes files, all of them or, where one is in the way, none.</summary>
    /// <exception cref="InvalidInputException">A file exists.</exception>
    public static void Write(IReadOnlyList<(string Path, string Text)> files, bool force, Terminal terminal)
    {
        var existing = files.Where(f => File.Exists(f.Path)).Select(f => ToolRules.FileExists.At(f.Path, "the file exists.", "Replace it with --force, or write elsewhere with --out.")).ToArray();
        if (existing.Length > 0 && !force)
            throw new InvalidInputException(existing);
        foreach (var (path, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            File.WriteAllText(path, text);
            terminal.Out.WriteLine($"written to {path}");
        }
    }
}
