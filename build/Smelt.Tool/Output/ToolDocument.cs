namespace Smelt.Tool.Output;

/// <summary>The one JSON document that a command with <c>--json</c> writes; parts that a command has not are left out.</summary>
internal sealed record ToolDocument
{
    /// <summary>The version of the document's schema.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The tool and its version.</summary>
    public string Tool { get; init; } = "smelt " + ToolVersion.Text;

    /// <summary>The verb.</summary>
    public required string Command { get; init; }

    /// <summary>The exit code of the process.</summary>
    public required int ExitCode { get; init; }

    /// <summary>Errors and warnings in the order found.</summary>
    public required IReadOnlyList<ProblemDocument> Problems { get; init; }

    /// <summary>The recipes listed or checked.</summary>
    public IReadOnlyList<RecipeDocument>? Recipes { get; init; }

    /// <summary>The plans.</summary>
    public IReadOnlyList<PlanDocument>? Plans { get; init; }

    /// <summary>The outputs written.</summary>
    public IReadOnlyList<MergeDocument>? Merges { get; init; }

    /// <summary>The output verified.</summary>
    public VerifiedDocument? Verified { get; init; }

    /// <summary>The experiments planned or run.</summary>
    public IReadOnlyList<ExperimentDocument>? Experiments { get; init; }

    /// <summary>The lock file written.</summary>
    public LockDocument? Lock { get; init; }

    /// <summary>The outputs compared with their snapshots.</summary>
    public IReadOnlyList<TestedDocument>? Tests { get; init; }

    /// <summary>The rules explained.</summary>
    public IReadOnlyList<RuleDocument>? Rules { get; init; }
}

/// <summary>An output that was compared with its snapshot.</summary>
/// <param name="Recipe">The recipe's name.</param>
/// <param name="Point">The label of its sweep point; empty without sweeps.</param>
/// <param name="State"><c>same</c>, <c>new</c>, <c>different</c> or <c>accepted</c>.</param>
/// <param name="Snapshot">The verified file.</param>
/// <param name="Message">What differs; empty where nothing does.</param>
internal sealed record TestedDocument(string Recipe, string Point, string State, string Snapshot, string Message);

/// <summary>A rule.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Title">The rule in a few words.</param>
/// <param name="Severity">How serious a breach is.</param>
/// <param name="Group">What it is about.</param>
/// <param name="Page">Its page, Markdown; null in a list.</param>
internal sealed record RuleDocument(string Id, string Title, string Severity, string Group, string? Page);

/// <summary>A lock file.</summary>
/// <param name="File">Its path.</param>
/// <param name="Changed">Whether it is another than before.</param>
/// <param name="Models">The models in it.</param>
internal sealed record LockDocument(string File, bool Changed, IReadOnlyList<string> Models);

/// <summary>The state of a cell of an experiment.</summary>
internal enum CellState
{
    /// <summary>To be merged.</summary>
    Open,

    /// <summary>Merged by an earlier run.</summary>
    Finished,

    /// <summary>Merged by this run.</summary>
    Merged,

    /// <summary>Failed in this run.</summary>
    Failed,
}

/// <summary>An experiment that was planned or run.</summary>
internal sealed record ExperimentDocument
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The folder of its outputs.</summary>
    public required string Folder { get; init; }

    /// <summary>The number of merges, sweep points counted.</summary>
    public required int Merges { get; init; }

    /// <summary>Bytes read by the cells that were merged, or would be.</summary>
    public required long BytesToRead { get; init; }

    /// <summary>Bytes written by the cells that were merged, or would be.</summary>
    public required long BytesToWrite { get; init; }

    /// <summary>The cells.</summary>
    public required IReadOnlyList<CellDocument> Cells { get; init; }
}

/// <summary>A cell of an experiment.</summary>
/// <param name="Name">Its folder below the experiment's.</param>
/// <param name="Pool">The pool.</param>
/// <param name="Arm">The arm.</param>
/// <param name="Subset">The subset's label.</param>
/// <param name="Experts">The experts' numbers in the pool.</param>
/// <param name="Points">The labels of its outputs: one empty text without sweeps.</param>
/// <param name="State">How far it is.</param>
internal sealed record CellDocument(string Name, string Pool, string Arm, string Subset, IReadOnlyList<int> Experts, IReadOnlyList<string> Points, CellState State);

/// <summary>An output that was compared with its manifest.</summary>
/// <param name="Output">Its folder.</param>
/// <param name="Tensors">Tensors whose hashes were taken.</param>
/// <param name="Bytes">Bytes read.</param>
internal sealed record VerifiedDocument(string Output, int Tensors, long Bytes);

/// <summary>A problem.</summary>
internal sealed record ProblemDocument(string Id, Severity Severity, string Where, string Message, string Fix, string? Recipe = null)
{
    /// <summary>The document of a problem of a recipe, or of none.</summary>
    public static ProblemDocument Of(Problem problem, string? recipe) =>
        new(problem.Id, problem.Severity, problem.Where, problem.Message, problem.Fix, recipe);

    /// <summary>The problem.</summary>
    public Problem ToProblem() => new(Id, Severity, Where, Message, Fix);
}

/// <summary>A recipe that was listed or checked.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Valid">Whether it has no error.</param>
/// <param name="Method">The id of its method; null where it is not valid.</param>
/// <param name="Experts">The number of experts.</param>
/// <param name="Outputs">The labels of its outputs: one empty text without sweeps.</param>
/// <param name="Sha256">The hash of its configuration.</param>
internal sealed record RecipeDocument(string Name, bool Valid, string? Method, int Experts, IReadOnlyList<string> Outputs, string? Sha256);

/// <summary>What a merge would do.</summary>
internal sealed record PlanDocument
{
    /// <summary>The recipe's name.</summary>
    public required string Recipe { get; init; }

    /// <summary>The id of its method.</summary>
    public required string Method { get; init; }

    /// <summary>The hash of its configuration.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The base, where there is one, then the experts.</summary>
    public required IReadOnlyList<InputDocument> Inputs { get; init; }

    /// <summary>The folders of models and the other files that are read, those of stages too.</summary>
    public required IReadOnlyList<string> Reads { get; init; }

    /// <summary>The folders of the outputs.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>What happens to the tensors of each output.</summary>
    public required TensorCounts Tensors { get; init; }

    /// <summary>Bytes of tensors read in one pass.</summary>
    public required long BytesPerPass { get; init; }

    /// <summary>How often the inputs are read where no sample saves a pass.</summary>
    public required int Passes { get; init; }

    /// <summary>How often they are read as a rule.</summary>
    public required int UsualPasses { get; init; }

    /// <summary>Bytes written, all outputs together.</summary>
    public required long BytesToWrite { get; init; }

    /// <summary>Weight files of each output.</summary>
    public required int Shards { get; init; }

    /// <summary>The type of most merged elements.</summary>
    public required string WeightType { get; init; }

    /// <summary>Worker threads.</summary>
    public required int Threads { get; init; }

    /// <summary>The memory expected at the peak.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>Free bytes on the disk of the output; null where the system does not tell.</summary>
    public required long? FreeBytes { get; init; }
}

/// <summary>A model that takes part.</summary>
/// <param name="Role"><c>base</c> or <c>expert</c>.</param>
/// <param name="Model">As the recipe names it.</param>
/// <param name="Path">Where it lies.</param>
/// <param name="Commit">The commit of a hub model.</param>
/// <param name="Tensors">The number of its tensors.</param>
/// <param name="Bytes">The bytes of its weight files.</param>
internal sealed record InputDocument(string Role, string Model, string Path, string? Commit, int Tensors, long Bytes);

/// <summary>The tensors of an output.</summary>
/// <param name="Merged">Merged from all inputs.</param>
/// <param name="Kept">Taken from the base by a rule.</param>
/// <param name="Copied">The same in all inputs and of a type that can't be merged.</param>
internal sealed record TensorCounts(int Merged, int Kept, int Copied);

/// <summary>A recipe that was merged.</summary>
internal sealed record MergeDocument
{
    /// <summary>The recipe's name.</summary>
    public required string Recipe { get; init; }

    /// <summary>The id of its method.</summary>
    public required string Method { get; init; }

    /// <summary>The hash of its configuration.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The number of experts.</summary>
    public required int Experts { get; init; }

    /// <summary>The outputs: one for each point of its sweeps.</summary>
    public required IReadOnlyList<OutputDocument> Outputs { get; init; }

    /// <summary>The tensors of each output.</summary>
    public required TensorCounts Tensors { get; init; }

    /// <summary>Bytes read and written by this run.</summary>
    public required long BytesMoved { get; init; }

    /// <summary>The seconds it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Blocks that an interrupted run had finished.</summary>
    public required long ResumedBlocks { get; init; }

    /// <summary>Measurements of the task vectors, where they were taken.</summary>
    public StatisticsDocument? Statistics { get; init; }
}

/// <summary>An output.</summary>
/// <param name="Point">The swept values; empty without sweeps.</param>
/// <param name="Folder">Where it was written.</param>
/// <param name="Bytes">The bytes of its weight files.</param>
internal sealed record OutputDocument(string Point, string Folder, long Bytes);

/// <summary>Measurements of the task vectors.</summary>
/// <param name="Norms">The L2 norm of each expert's task vector.</param>
/// <param name="Conflicts">Elements in which two non-zero deltas have different signs.</param>
/// <param name="Contested">Elements in which at least two deltas are not zero.</param>
internal sealed record StatisticsDocument(IReadOnlyList<NormDocument> Norms, long Conflicts, long Contested);

/// <summary>The norm of a task vector.</summary>
internal sealed record NormDocument(string Expert, double Norm);
