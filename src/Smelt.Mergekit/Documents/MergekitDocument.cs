using Smelt.Recipes;

namespace Smelt.Mergekit.Documents;

/// <summary>One document of a file of mergekit: a merge or a mixture of experts.</summary>
/// <param name="Place">Where it begins.</param>
public abstract record MergekitDocument(Place Place);

/// <summary>A merge: what <c>mergekit-yaml</c>, <c>mergekit-multi</c> and <c>mergekit-pytorch</c> read.</summary>
/// <param name="Method">The merge method.</param>
/// <param name="Place">Where it begins.</param>
public sealed record MergeDocument(Located<string> Method, Place Place = default) : MergekitDocument(Place)
{
    /// <summary>The stage's name in a file of several documents; null for none.</summary>
    public Located<string>? Name { get; init; }

    /// <summary>The base model; null for none.</summary>
    public ModelReference? BaseModel { get; init; }

    /// <summary>What is merged.</summary>
    public MergeBody Body { get; init; } = new(null, null);

    /// <summary>The parts of models that are merged each in its own way; null where the whole model is.</summary>
    public Sequence<MergeModule>? Modules { get; init; }

    /// <summary>The parameters of the whole merge.</summary>
    public Sequence<Parameter> Parameters { get; init; } = Sequence<Parameter>.Empty;

    /// <summary>The number format of the arithmetic, and of the output unless <see cref="OutDtype"/> is given.</summary>
    public Located<string>? Dtype { get; init; }

    /// <summary>The number format of the output.</summary>
    public Located<string>? OutDtype { get; init; }

    /// <summary>The older form of <see cref="Tokenizer"/>.</summary>
    public TokenizerSource? TokenizerSource { get; init; }

    /// <summary>How vocabularies are merged.</summary>
    public TokenizerSettings? Tokenizer { get; init; }

    /// <summary>The name of a chat template, one itself, or <c>auto</c>.</summary>
    public Located<string>? ChatTemplate { get; init; }
}

/// <summary>Whole models, or slices of layers: one of both.</summary>
/// <param name="Models">Whole models; null where there are slices.</param>
/// <param name="Slices">Slices, first layers first; null where there are whole models.</param>
public sealed record MergeBody(Sequence<MergeInput>? Models, Sequence<MergeSlice>? Slices);

/// <summary>A model that is merged as a whole.</summary>
/// <param name="Model">The model.</param>
/// <param name="Parameters">The parameters that hold for it alone.</param>
public sealed record MergeInput(ModelReference Model, Sequence<Parameter> Parameters);

/// <summary>Layers of models that are merged into layers of the output.</summary>
/// <param name="Sources">The layers, as many of each model.</param>
/// <param name="Place">Where the slice begins.</param>
public sealed record MergeSlice(Sequence<SliceSource> Sources, Place Place = default)
{
    /// <summary>The base model of this slice; null for the document's.</summary>
    public ModelReference? BaseModel { get; init; }

    /// <summary>A setting that mergekit reads and never uses.</summary>
    public Located<double>? ResidualWeight { get; init; }

    /// <summary>The parameters of this slice.</summary>
    public Sequence<Parameter> Parameters { get; init; } = Sequence<Parameter>.Empty;
}

/// <summary>A run of layers of one model.</summary>
/// <param name="Model">The model.</param>
/// <param name="Start">The first layer.</param>
/// <param name="End">The layer after the last.</param>
/// <param name="Parameters">The parameters that hold for it alone.</param>
/// <param name="RangePlace">Where the range stands.</param>
public sealed record SliceSource(ModelReference Model, int Start, int End, Sequence<Parameter> Parameters, Place RangePlace = default);

/// <summary>A part of a model, such as the decoder, with a merge of its own.</summary>
/// <param name="Name">The part's name in mergekit.</param>
/// <param name="Body">What is merged.</param>
/// <param name="Parameters">The parameters of this part.</param>
/// <param name="Place">Where it stands.</param>
public sealed record MergeModule(string Name, MergeBody Body, Sequence<Parameter> Parameters, Place Place = default);

/// <summary>A mixture of experts built of dense models: what <c>mergekit-moe</c> reads.</summary>
/// <param name="BaseModel">The model that gives everything but the experts.</param>
/// <param name="Experts">The experts.</param>
/// <param name="Place">Where it begins.</param>
public sealed record MixtureDocument(ModelReference BaseModel, Sequence<MixtureExpert> Experts, Place Place = default) : MergekitDocument(Place)
{
    /// <summary>How routers are initialised; null where it is not given.</summary>
    public Located<string>? GateMode { get; init; }

    /// <summary>The number format of the output.</summary>
    public Located<string>? Dtype { get; init; }

    /// <summary>The experts that each token goes through; null where it is not given.</summary>
    public Located<int>? ExpertsPerToken { get; init; }

    /// <summary>The experts that every token goes through.</summary>
    public Sequence<MixtureExpert> SharedExperts { get; init; } = Sequence<MixtureExpert>.Empty;
}

/// <summary>An expert of a mixture.</summary>
/// <param name="SourceModel">The model that it is taken from.</param>
public sealed record MixtureExpert(ModelReference SourceModel)
{
    /// <summary>Prompts that should be routed to it.</summary>
    public Sequence<string> PositivePrompts { get; init; } = Sequence<string>.Empty;

    /// <summary>Prompts that should not.</summary>
    public Sequence<string> NegativePrompts { get; init; } = Sequence<string>.Empty;

    /// <summary>The scale of noise that is added to it.</summary>
    public double? NoiseScale { get; init; }

    /// <summary>The scale of what it adds to the residual.</summary>
    public double? ResidualScale { get; init; }
}
