namespace Smelt.Targets.Tests;

/// <summary>A temporary root folder in which builds run, with what they write.</summary>
public sealed class Run : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private StringWriter _out = new();
    private StringWriter _error = new();

    private readonly bool _owned;

    public Run() => (Folder, _owned) = (Directory.CreateTempSubdirectory("smelt-targets-").FullName, true);

    /// <summary>Runs builds in the folder of another.</summary>
    public Run(string folder) => Folder = folder;

    public string Folder { get; }

    public Dictionary<string, string> Variables { get; } = [];

    public string Out => _out.ToString().ReplaceLineEndings("\n").Replace(Folder, "ROOT", StringComparison.Ordinal);

    public string Error => _error.ToString().ReplaceLineEndings("\n").Replace(Folder, "ROOT", StringComparison.Ordinal);

    /// <summary>The rows of the summary without times: <c>Merge: done</c>.</summary>
    public string[] Summary
    {
        get
        {
            var lines = Out.Split('\n');
            var header = Array.FindIndex(lines, l => l.StartsWith("target ", StringComparison.Ordinal));
            var outcome = lines[header].IndexOf("outcome", StringComparison.Ordinal);
            var time = lines[header].IndexOf("time", StringComparison.Ordinal);
            return [.. lines[(header + 1)..].TakeWhile(l => !l.StartsWith("total", StringComparison.Ordinal)).Select(l => $"{l[..outcome].Trim()}: {l.PadRight(time)[outcome..time].Trim()}")];
        }
    }

    public void Dispose()
    {
        _stop.Dispose();
        if (_owned)
            Directory.Delete(Folder, recursive: true);
    }

    public void Stop() => _stop.Cancel();

    /// <summary>Runs a build with a command line, arguments apart by blanks.</summary>
    public int Build<T>(string arguments = "", params Func<T, Target>[] defaults)
        where T : SmeltBuild, new() => Build(new T(), arguments, defaults);

    /// <summary>Runs a build with a command line, arguments apart by blanks.</summary>
    public int Build<T>(T build, string arguments = "", params Func<T, Target>[] defaults)
        where T : SmeltBuild
    {
        (_out, _error) = (new StringWriter(), new StringWriter());
        var host = new BuildHost(_out, _error) { Folder = Folder, Variable = Variables.GetValueOrDefault, Cancellation = _stop.Token, Command = "build" };
        return SmeltBuild.Execute(build, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), host, defaults);
    }

    /// <summary>Writes a file that was changed long ago, so that its hash may be remembered.</summary>
    public void Write(string name, string text, int minute = 0)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, minute, 0, DateTimeKind.Utc));
    }

    public string Read(string name) => File.ReadAllText(Path.Combine(Folder, name));
}
