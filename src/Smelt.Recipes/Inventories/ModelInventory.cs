namespace Smelt.Recipes.Inventories;

/// <summary>A tensor as an inventory knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its elements, as safetensors spells it.</param>
/// <param name="Shape">Its shape, outermost dimension first.</param>
public sealed record InventoryTensor(string Name, string Type, Sequence<long> Shape);

/// <summary>A weight file as an inventory knows it.</summary>
/// <param name="Name">The name relative to the model's folder.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="HeaderHash">XxHash128 of its header, hexadecimal.</param>
public sealed record InventoryFile(string Name, long Bytes, string HeaderHash);

/// <summary>What a lock file says of a model: what it consisted of when it was locked.</summary>
/// <param name="Model">The model as recipes name it: <c>folder models/base</c> or <c>hub org/name@revision</c>.</param>
/// <param name="Commit">The commit of a hub model; empty for a folder.</param>
/// <param name="ContentHash">One hash over the content of all tensors, hexadecimal; empty where it was not taken.</param>
/// <param name="Files">Its weight files.</param>
/// <param name="Tensors">Its tensors, in the order of the files.</param>
public sealed record ModelInventory(string Model, string Commit, string ContentHash, Sequence<InventoryFile> Files, Sequence<InventoryTensor> Tensors)
{
    /// <summary>The name of a model in lock files; null for a stage, which has no inventory.</summary>
    public static string? KeyOf(Model model) => model switch
    {
        FolderModel folder => "folder " + folder.Path.Replace('\\', '/'),
        HubModel hub => "hub " + hub.Id + "@" + hub.Revision,
        _ => null,
    };
}
