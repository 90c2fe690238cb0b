using Smelt.Checkpoints;
using Smelt.Recipes;

namespace Smelt.Merging.Planning;

/// <summary>
/// The masks that an output has beside its weights: for each name a file <c>masks/NAME.safetensors</c> with a tensor of the same
/// name for each merged tensor, U8, one bit an element in flat order, the lowest bit of a byte first.
/// </summary>
public sealed class MaskOutputs
{
    /// <summary>The folder of the files.</summary>
    public const string Folder = "masks";

    /// <summary>The name of the one mask of <see cref="Consensus"/>.</summary>
    public const string ConsensusName = "consensus";

    private readonly int[] _places;

    private MaskOutputs(IReadOnlyList<string> names, bool ofTasks, IReadOnlyList<TensorPlan> tensors)
    {
        (Names, OfTasks) = (names, ofTasks);
        var merged = tensors.Where(t => t.Action == TensorAction.Merge).ToArray();
        _places = new int[tensors.Count];
        Array.Fill(_places, -1);
        for (var i = 0; i < merged.Length; i++)
            _places[merged[i].Index] = i;
        Layout = ShardLayout.Create(merged.Select(t => new LayoutTensor(t.Name, TensorType.U8, [BytesOf(t.ElementCount)])), long.MaxValue);
    }

    /// <summary>The names of the masks.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether each mask belongs to a task, the expert of the same number.</summary>
    public bool OfTasks { get; }

    /// <summary>Bytes of all files.</summary>
    public long TotalBytes => Layout.TotalFileBytes * Names.Count;

    /// <summary>The one file that each mask is laid out as.</summary>
    internal ShardLayout Layout { get; }

    /// <summary>The path of a mask in its output, in the form that manifests have.</summary>
    public static string FileOf(string name) => $"{Folder}/{name}.safetensors";

    /// <summary>The bytes that a mask of so many elements takes.</summary>
    public static long BytesOf(long elements) => (elements + 7) / 8;

    /// <summary>The masks that a recipe writes; null for none.</summary>
    internal static MaskOutputs? Of(Recipe recipe, IReadOnlyList<TensorPlan> tensors) => recipe switch
    {
        { WritesMasks: false } => null,
        Consensus => new MaskOutputs([ConsensusName], false, tensors),
        _ => new MaskOutputs(TaskNames.Of(recipe), true, tensors),
    };

    /// <summary>The first byte of a tensor's mask in its file; null for a tensor that has none.</summary>
    internal long? OffsetOf(int tensor) => _places[tensor] < 0 ? null : Layout[_places[tensor]].Offset;
}
