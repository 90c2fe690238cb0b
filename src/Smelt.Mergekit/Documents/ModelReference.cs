namespace Smelt.Mergekit.Documents;

/// <summary>A path or hub id, and the revision of a hub model.</summary>
/// <param name="Path">A folder, a file, or <c>organisation/name</c>.</param>
/// <param name="Revision">A branch, a tag or a commit hash; null where it is not given.</param>
public sealed record ModelPath(string Path, string? Revision = null)
{
    /// <inheritdoc/>
    public override string ToString() => Revision is null ? Path : Path + "@" + Revision;
}

/// <summary>A model as mergekit names it: <c>path[@revision][+adapter[@revision]]</c>, or an object of these parts.</summary>
/// <param name="Model">The model.</param>
/// <param name="Adapter">A LoRA adapter that is added to it; null for none.</param>
/// <param name="Architecture">The architecture that it is taken for; null for its own.</param>
/// <param name="Place">Where the reference stands.</param>
public sealed record ModelReference(ModelPath Model, ModelPath? Adapter = null, string? Architecture = null, Place Place = default)
{
    /// <summary>Whether the text form says it all and can be read back.</summary>
    public bool HasTextForm => Architecture is null && IsPlain(Model) && (Adapter is null || IsPlain(Adapter));

    /// <summary>Reads the text form.</summary>
    /// <param name="text">The text.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="error">Why it is no reference; empty where it is one.</param>
    /// <returns>The reference; null where it is none.</returns>
    public static ModelReference? TryParse(string text, Place place, out string error)
    {
        error = "";
        var parts = text.Split('+');
        if (parts.Length > 2)
            error = "more than one '+'";
        else if (parts.Any(p => p.Count(c => c == '@') > 1))
            error = "more than one '@' in a part";
        else if (parts.Any(p => p.Length == 0 || p[0] == '@' || p[^1] == '@'))
            error = "an empty part";
        return error.Length > 0 ? null : new ModelReference(ParsePath(parts[0]), parts.Length == 2 ? ParsePath(parts[1]) : null, null, place);
    }

    /// <inheritdoc/>
    public override string ToString() => Adapter is null ? Model.ToString() : Model + "+" + Adapter;

    private static ModelPath ParsePath(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at < 0 ? new ModelPath(text) : new ModelPath(text[..at], text[(at + 1)..]);
    }

    private static bool IsPlain(ModelPath path) => (path.Path + path.Revision).All(c => c is not ('+' or '@'));
}
