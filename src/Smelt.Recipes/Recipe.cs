namespace Smelt.Recipes;

/// <summary>
/// One merge as a user writes it: an immutable value, either with sweeps or expanded to a single point. Each merge method
/// is a record of its own that adds its slots.
/// </summary>
public abstract record Recipe
{
    /// <summary>The largest shard of an output unless given: 5 GB.</summary>
    public const long DefaultMaxShardSize = 5_000_000_000;

    /// <summary>
    /// The base model. Methods on task vectors need it; for methods without one, such as an average, it only gives
    /// configuration, tokenizer and tensor order (the first expert does where none is given).
    /// </summary>
    [Slot("the base model")]
    public Model? Base { get; init; }

    /// <summary>The models that are merged, at least one, in the order in which sums are taken.</summary>
    [Slot("the models that are merged, in order")]
    public Sequence<Expert> Experts { get; init; } = Sequence<Expert>.Empty;

    /// <summary>Rules for single tensors, none unless given; see <see cref="Syntax.On"/> and <see cref="Syntax.Keep"/>.</summary>
    [Slot("rules for the tensors that a glob matches")]
    public Sequence<TensorRule> Tensors { get; init; } = Sequence<TensorRule>.Empty;

    /// <summary>
    /// The layers of the base, and of every expert that names none of its own, that take part; all unless given. The output
    /// has these layers alone, counted from 0. See <see cref="Stack"/>.
    /// </summary>
    [Slot("the layers of every input that take part: the first, and the one after the last")]
    public LayerRange? Layers { get; init; }

    /// <summary>What happens to tensors that some inputs lack; <see cref="MissingTensors.Fail"/> unless given.</summary>
    [Slot("what happens to tensors that some inputs lack")]
    public MissingTensors? Missing { get; init; }

    /// <summary>
    /// How the weights of a mixture's experts are laid out; as in the inputs unless given, and fused where the layouts of the
    /// inputs differ.
    /// </summary>
    [Slot("how the weights of a mixture's experts are laid out; as in the inputs unless given, fused where those differ")]
    public MoeLayout? MoeLayout { get; init; }

    /// <summary>The number format of the merged tensors; that of each tensor in the base (else the first expert) unless given.</summary>
    [Slot("the number format of the merged tensors; as in the base unless given")]
    public DType? Dtype { get; init; }

    /// <summary>
    /// Whether, without a <see cref="Dtype"/>, a tensor is written in the smallest format that holds those of all its
    /// inputs (BF16 and F16 make F32) instead of that of the base; false unless given.
    /// </summary>
    [Slot("whether a tensor gets the smallest format that holds those of all its inputs, where dtype is not given")]
    public bool? PromoteDtype { get; init; }

    /// <summary>The largest size of one output file; 5 GB unless given. A larger tensor gets a file of its own.</summary>
    [Slot("the largest size of one output file in bytes", Min = 1, Integer = true)]
    public ByteSize? MaxShardSize { get; init; }

    /// <summary>The chat template of the output; the base's (else the first expert's) unless given. What is merged with a stage as its base has the stage's.</summary>
    [Slot("the chat template of the output: auto, alpaca, chatml, exaone, llama3, mistral, or a text in Jinja; the base's unless given")]
    public ChatTemplate? ChatTemplate { get; init; }

    /// <summary>What happens to NaN and infinity in an input; <see cref="NonFinite.Fail"/> unless given.</summary>
    [Slot("what happens to NaN and infinity in an input")]
    public NonFinite? NonFinite { get; init; }

    /// <summary>Whether the method can't do without a base.</summary>
    public abstract bool NeedsBase { get; }

    /// <summary>Whether the base takes part in the arithmetic; else it only gives configuration, tokenizer and tensor order.</summary>
    public virtual bool UsesBase => NeedsBase;

    /// <summary>Whether experts have weights.</summary>
    public virtual bool UsesWeights => true;

    /// <summary>Whether a sum is divided by the sum of the experts' weights, which then must not be zero.</summary>
    public virtual bool DividesByWeights => false;

    /// <summary>Whether the output has masks beside its weights.</summary>
    public virtual bool WritesMasks => false;

    /// <summary>Whether the method needs statistics of each expert's data: <see cref="Expert.Statistics"/>.</summary>
    public virtual bool UsesStatistics => false;

    /// <summary>The fewest experts that the method merges.</summary>
    public virtual int FewestExperts => 1;

    /// <summary>The most experts that the method merges.</summary>
    public virtual int MostExperts => int.MaxValue;

    /// <summary>The same recipe with every switch and default written out, profiles resolved.</summary>
    public virtual Recipe Resolve() => WithDefaults() with
    {
        MaxShardSize = MaxShardSize ?? DefaultMaxShardSize,
        NonFinite = NonFinite ?? Recipes.NonFinite.Fail,
        Experts = UsesWeights ? Sequence.From(Experts.Select(e => e with { Weight = e.Weight ?? 1 })) : Experts,
    };

    /// <summary>The recipe with the defaults that its slots' attributes state.</summary>
    private Recipe WithDefaults()
    {
        var recipe = this;
        if (this is not OutsideRecipe && GetType().Assembly == typeof(Recipe).Assembly)
            return recipe;
        foreach (var slot in Slots.Of((object)this))
        {
            if (slot.Attribute.Default is { } value && slot.Get(recipe) is null)
                recipe = (Recipe)slot.With(recipe, value is IConvertible and not (string or bool or Enum) ? (Scalar)Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture) : value);
        }

        return recipe;
    }
}

/// <summary>What methods on task vectors d_i = x_i - b have in common: out = b + lambda * mix(d).</summary>
public abstract record TaskVectorRecipe : Recipe
{
    /// <summary>The scale of the merged task vector, any finite number; 1 unless given.</summary>
    [Slot("the scale of the merged task vector")]
    public Scalar? Lambda { get; init; }

    /// <inheritdoc/>
    public override bool NeedsBase => true;

    /// <inheritdoc/>
    public override Recipe Resolve() => (TaskVectorRecipe)base.Resolve() with { Lambda = Lambda ?? 1 };
}

/// <summary>What methods that sum up task vectors by weights have in common.</summary>
public abstract record WeightedTaskVectorRecipe : TaskVectorRecipe
{
    /// <summary>Whether the mix is divided by the sum of the weights that took part; the method's own text has the default.</summary>
    [Slot("whether the mix is divided by the sum of the weights that took part")]
    public bool? Normalize { get; init; }
}
