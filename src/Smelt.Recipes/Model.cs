namespace Smelt.Recipes;

/// <summary>Where a model is found: <see cref="Syntax.Folder"/> or <see cref="Syntax.Hub"/>.</summary>
public abstract record Model
{
    private protected Model()
    {
    }
}

/// <summary>A checkpoint folder, or one flat <c>.safetensors</c> file, on this machine.</summary>
/// <param name="Path">Absolute, or relative to the folder of the recipe's project (of the file, for a configuration).</param>
public sealed record FolderModel(string Path) : Model
{
    /// <inheritdoc/>
    public override string ToString() => Path;
}

/// <summary>A model of the Hugging Face hub, taken from the local hub cache.</summary>
/// <param name="Id">The id, <c>organisation/name</c>.</param>
/// <param name="Revision">A branch, a tag or a full commit hash.</param>
public sealed record HubModel(string Id, string Revision) : Model
{
    /// <inheritdoc/>
    public override string ToString() => Revision == "main" ? Id : Id + "@" + Revision;
}
