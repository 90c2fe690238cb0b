using Smelt.Recipes.Configuration;
using Smelt.Recipes.Rules;

namespace Smelt.Mergekit;

/// <summary>Collects what is wrong with a file.</summary>
/// <param name="file">The file's path, for the places.</param>
internal sealed class ProblemList(string file)
{
    private readonly List<Problem> _problems = [];

    /// <summary>Everything found so far.</summary>
    public IReadOnlyList<Problem> All => _problems;

    /// <summary>Whether an error was found.</summary>
    public bool HasErrors => _problems.Any(p => p.Severity == Severity.Error);

    /// <summary>Whether parts of the file could not be read, so that nothing follows from what is missing.</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Adds a breach of a rule.</summary>
    public void Add(Rule rule, Place place, string message, string fix = "") => _problems.Add(rule.At(place.In(file), message, fix));

    /// <summary>Adds a breach of a rule by a part of a recipe.</summary>
    public void AddAt(Rule rule, string pointer, string message, string fix) => _problems.Add(rule.At($"{file}, {(pointer.Length == 0 ? "/" : pointer)}", message, fix));

    /// <summary>Adds problems that were found elsewhere.</summary>
    public void AddRange(IEnumerable<Problem> problems) => _problems.AddRange(problems);

    /// <summary>Adds what was found when the file was read.</summary>
    public void AddRead(IReadOnlyList<Problem> problems)
    {
        AddRange(problems);
        IsIncomplete = problems.Any(p => p.Severity == Severity.Error && p.Id != MergekitRules.UnknownKey.Id);
    }

    /// <summary>A question after the word that was probably meant; empty where none is near.</summary>
    public static string DidYouMean(string word, IEnumerable<string> known) =>
        EditDistance.DidYouMean(word, known, quote: "'");
}
