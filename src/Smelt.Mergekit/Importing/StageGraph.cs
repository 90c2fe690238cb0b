using Smelt.Mergekit.Documents;

namespace Smelt.Mergekit.Importing;

/// <summary>A document and its name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Document">The document.</param>
/// <param name="IsUsed">Whether another document uses its output.</param>
internal sealed record Stage(string Name, MergeDocument Document, bool IsUsed);

/// <summary>The documents of a file in an order in which they can be merged; what keeps them from it is reported.</summary>
internal sealed class StageGraph
{
    private readonly Dictionary<string, MergeDocument> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<MergeDocument, string> _names = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private readonly List<string> _ordered = [];
    private readonly ProblemList _problems;

    /// <param name="documents">The documents.</param>
    /// <param name="fallback">The name of one that has none.</param>
    /// <param name="problems">Gets what does not fit.</param>
    public StageGraph(IReadOnlyList<MergeDocument> documents, string fallback, ProblemList problems)
    {
        _problems = problems;
        foreach (var document in documents)
            AddName(document, fallback, documents);
        foreach (var document in documents)
            Visit(_names[document], document);
    }

    /// <summary>The documents, each after those that it uses.</summary>
    public IEnumerable<Stage> Ordered => _ordered.Select(n => new Stage(n, _byName[n], _used.Contains(n)));

    /// <summary>All references to models of a document.</summary>
    public static IEnumerable<ModelReference> ModelsOf(MergeDocument document)
    {
        var bodies = (document.Modules ?? []).Select(m => m.Body).Prepend(document.Body).ToArray();
        return bodies.SelectMany(b => b.Models ?? []).Select(m => m.Model)
            .Concat(bodies.SelectMany(b => b.Slices ?? []).SelectMany(s => s.Sources.Select(o => o.Model).Concat(s.BaseModel is { } own ? [own] : [])))
            .Concat(document.BaseModel is { } model ? [model] : []);
    }

    private void AddName(MergeDocument document, string fallback, IReadOnlyList<MergeDocument> documents)
    {
        var name = document.Name?.Value ?? fallback;
        var place = document.Name?.Place ?? document.Place;
        if (document.Name is null && documents.Any(d => d.Name?.Value == fallback))
            name += "-output";
        if (!_byName.TryAdd(name, document))
        {
            _problems.Add(MergekitRules.Stages, place, document.Name is null ? "two documents have no name." : $"two documents are named '{name}'.", document.Name is null ? "Name all but the last: name: first." : "Rename one of them.");
            for (var i = 2; !_byName.TryAdd(name, document); i++)
                name = $"{document.Name?.Value ?? fallback}-{i}";
        }

        _names.Add(document, name);
    }

    private void Visit(string name, MergeDocument document)
    {
        if (_ordered.Contains(name))
            return;
        _open.Add(name);
        foreach (var reference in ModelsOf(document).Where(r => _byName.ContainsKey(r.Model.Path) && _byName[r.Model.Path].Name is not null))
        {
            var used = reference.Model.Path;
            _used.Add(used);
            if (reference.Adapter is not null || reference.Model.Revision is not null)
                _problems.Add(MergekitRules.Stages, reference.Place, $"{reference} names the stage '{used}', which has neither revision nor adapter.");
            if (_open.Contains(used))
                _problems.Add(MergekitRules.Stages, reference.Place, $"the stages go in a circle: '{used}' needs its own output.", "Take one of the references out.");
            else
                Visit(used, _byName[used]);
        }

        _open.Remove(name);
        _ordered.Add(name);
    }
}
