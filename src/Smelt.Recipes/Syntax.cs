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
    public static Scalar Sweep(params double[] points) => Scalar.Sweep([.. points]);

    /// <summary>
    /// Several values for one number that advance together with those of every other number on the same axis: one output for
    /// the first value of each, one for the second, and so on. <c>Weight = Zip("strength", 0.2, 0.4)</c> and
    /// <c>Density = Zip("strength", 0.5, 0.8)</c> make two outputs, where two sweeps would make four.
    /// </summary>
    /// <param name="axis">The axis: 1 to 40 letters, digits, <c>_</c> and <c>-</c>. It names the outputs' folders.</param>
    /// <param name="points">The values, as many as on every other number of the axis.</param>
    public static Scalar Zip(string axis, params double[] points) => Scalar.Zip(axis, [.. points]);

    /// <summary>
    /// A number that changes over the depth of the model: the first value at the first layer, the last at the last layer,
    /// straight lines between, the values spread evenly. Tensors outside the layers have the first value.
    /// </summary>
    public static Scalar Gradient(params double[] values) => Scalar.Gradient([.. values]);

    /// <summary>Some layers of a model as they are, as a slice of a <see cref="Stack(Recipe[])"/>: <c>From(Folder("a"), 0..16)</c>.</summary>
    public static Recipe From(Model model, LayerRange layers) => new Passthrough { Experts = new Sequence<Expert>([model]), Layers = layers };

    /// <summary>The output of another recipe as a model of this one. It is merged first, and not kept.</summary>
    /// <param name="stage">The other recipe, without sweeps.</param>
    /// <param name="name">A name for messages.</param>
    public static Model From(Recipe stage, string? name = null) => new StageModel(stage, name);

#if NET
    /// <summary>The output of another recipe as a model of this one: <c>Base = From&lt;OtherRecipe&gt;()</c>. It is merged first, and not kept.</summary>
    /// <typeparam name="T">The other recipe's class.</typeparam>
    public static Model From<T>()
        where T : IRecipe => From(T.Define(), RecipeAttribute.NameOf(typeof(T)));
#endif

    /// <summary>Layers of several merges, one slice after another; see <see cref="Recipes.Stack"/>.</summary>
    public static Recipe Stack(params Recipe[] slices) => new Stack { Slices = new Sequence<Recipe>([.. slices]) };

    /// <summary>A part of a model and the merge that makes it, for <see cref="Modules"/>.</summary>
    public static Part Part(string match, Recipe merge) => new(match, merge);

    /// <summary>Other values for the tensors that a glob matches: <c>On("**.mlp.**") with { Density = 0.3 }</c>.</summary>
    public static TensorOverride On(string match) => new(match);

    /// <summary>Tensors that are taken from the base as they are.</summary>
    public static TensorRule Keep(params string[] globs) => new KeepRule(new Sequence<string>(globs.ToArray()));

    /// <summary>A base and the experts made of it, for an <see cref="Experiment"/>.</summary>
    public static ExpertPool Pool(string name, Model baseModel, params Expert[] experts) =>
        new(name) { Base = baseModel, Experts = new Sequence<Expert>([.. experts]) };

    /// <summary>One of the recipes that an <see cref="Experiment"/> compares: without base and experts, which come from the pools.</summary>
    public static Arm Arm(string name, Recipe recipe) => new(name, recipe);

    /// <summary>All experts of a pool together.</summary>
    public static ExpertSubsets AllExperts() => new AllExperts();

    /// <summary>Random subsets where the smaller are part of the larger: <c>Nested([2, 4, 8], draws: 3)</c>.</summary>
    /// <param name="sizes">The sizes.</param>
    /// <param name="draws">How many random orders; of all experts there is one subset.</param>
    /// <param name="seed">The seed.</param>
    public static ExpertSubsets Nested(int[] sizes, int draws = 1, int seed = 0) => new NestedSubsets(new Sequence<int>([.. sizes]), draws, seed);

    /// <summary>Random subsets, each drawn by itself: <c>Independent([2, 4, 8], draws: 3)</c>.</summary>
    /// <param name="sizes">The sizes.</param>
    /// <param name="draws">How many subsets of each size; of all experts there is one.</param>
    /// <param name="seed">The seed.</param>
    public static ExpertSubsets Independent(int[] sizes, int draws = 1, int seed = 0) => new IndependentSubsets(new Sequence<int>([.. sizes]), draws, seed);

    /// <summary>Subsets that are written out, experts counted from 0: <c>Subsets([0, 1], [0, 2, 3])</c>.</summary>
    public static ExpertSubsets Subsets(params int[][] sets) => new ExplicitSubsets(Sequence.From(sets.Select(s => new Sequence<int>([.. s]))));
}
