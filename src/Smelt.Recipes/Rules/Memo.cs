using System.Collections.Concurrent;

namespace Smelt.Recipes.Rules;

/// <summary>Remembers answers that depend on their question alone: an editor asks the same of every recipe at every key stroke.</summary>
/// <typeparam name="TQuestion">The question.</typeparam>
/// <typeparam name="TAnswer">The answer.</typeparam>
/// <param name="most">How many answers are kept; then it starts anew.</param>
internal sealed class Memo<TQuestion, TAnswer>(int most)
    where TQuestion : notnull
{
    private readonly ConcurrentDictionary<TQuestion, TAnswer> _answers = new();

    /// <summary>The answer to a question, worked out where it was not asked before.</summary>
    public TAnswer Of(TQuestion question, Func<TAnswer> work)
    {
        if (_answers.TryGetValue(question, out var known))
            return known;
        if (_answers.Count >= most)
            _answers.Clear();
        return _answers[question] = work();
    }
}
