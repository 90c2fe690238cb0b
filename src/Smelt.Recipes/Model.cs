namespace Smelt.Recipes;

/// <summary>Where a model is found: <see cref="Syntax.Folder"/>, <see cref="Syntax.Hub"/>, or <see cref="Syntax.From(Recipe, string)"/>.</summary>
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

/// <summary>The output of another recipe, merged before the recipe that names it.</summary>
/// <param name="Recipe">The other recipe, without sweeps.</param>
/// <param name="Name">A name for messages; null for one made of the method.</param>
public sealed record StageModel(Recipe Recipe, string? Name) : Model
{
    /// <inheritdoc/>
    public override string ToString() => "the stage " + (Name ?? Slots.MethodId(Recipe));
}
