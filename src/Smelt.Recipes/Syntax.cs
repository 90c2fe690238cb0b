namespace Smelt.Recipes;

/// <summary>
/// The words of a recipe. Recipe projects import them with <c>using static Smelt.Recipes.Syntax</c>, so that a recipe reads
/// <c>Base = Hub("org/name")</c>.
/// </summary>
public static class Syntax
{
    /// <summary>A checkpoint folder (or one flat <c>.safetensors</c> file); relative paths start at the recipe's project folder.</summary>
    public static Model Folder(string path) => new FolderModel(path);

    /// <summary>A model of the Hugging Face hub, from the local hub cache.</summary>
    /// <param name="id"><c>organisation/name</c>.</param>
    /// <param name="revision">A branch, a tag or a full commit hash.</param>
    public static Model Hub(string id, string revision = "main") => new HubModel(id, revision);

    /// <summary>Several values for one number: one output for each; several sweeps make the product of their points.</summary>
    public static Scalar Sweep(params double[] points) => new(new Sequence<double>(points.ToArray()), true);

    /// <summary>Other values for the tensors that a glob matches: <c>On("**.mlp.**") with { Density = 0.3 }</c>.</summary>
    public static TensorOverride On(string match) => new(match);

    /// <summary>Tensors that are taken from the base as they are.</summary>
    public static TensorRule Keep(params string[] globs) => new KeepRule(new Sequence<string>(globs.ToArray()));
}
