namespace Smelt.Targets.Tests;

/// <summary>A build whose targets note that they ran.</summary>
public abstract class LoggedBuild : SmeltBuild
{
    public List<string> Log { get; } = [];

    /// <summary>What ran, in its order.</summary>
    public string Ran => string.Join(' ', Log);

    protected Action Note(string text) => () => Log.Add(text);
}
