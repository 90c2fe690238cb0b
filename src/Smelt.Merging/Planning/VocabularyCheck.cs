using Smelt.Checkpoints;

namespace Smelt.Merging.Planning;

/// <summary>Tells whether all inputs of a plan have one vocabulary, so that rows of embeddings of the same number belong to the same token.</summary>
public static class VocabularyCheck
{
    /// <summary>Names of token embeddings, before <c>.weight</c>.</summary>
    private static readonly string[] Embeddings = ["embed_tokens", "wte", "embed_in", "word_embeddings", "shared", "tok_embeddings"];

    /// <summary>Why the vocabularies are not one and the same, one row of the embeddings for each token; null where they are.</summary>
    /// <exception cref="InvalidInputException">A tokenizer can't be read.</exception>
    public static string? Difference(MergePlan plan)
    {
        var first = (Input: plan.Donor, Vocabulary: Of(plan.Donor));
        foreach (var input in plan.Inputs.Where(i => plan.RoleOf(i) != "statistics"))
        {
            if (first.Vocabulary is not { } own || Of(input) is not { } vocabulary)
                return $"{(first.Vocabulary is null ? first.Input : input).Reference} has no tokenizer.json, so its tokens are not known";
            if (vocabulary.DifferenceTo(own) is { } token)
                return $"{input.Reference} and {first.Input.Reference} differ in the token '{token}'";
            if (!vocabulary.IsDense)
                return $"the ids of {input.Reference} have gaps";
            var rows = input.Checkpoint.Tensors.Where(IsEmbedding).Select(t => t.Shape[0]).FirstOrDefault(r => r != vocabulary.Count);
            if (rows != 0)
                return $"{input.Reference} has {rows} rows of embeddings for {vocabulary.Count} tokens, and mergekit cuts off what no token has";
        }

        return null;
    }

    private static Vocabulary? Of(PlannedInput input) => input.Checkpoint.Folder is { } folder ? Vocabulary.Open(folder) : null;

    private static bool IsEmbedding(CheckpointTensor tensor) =>
        tensor.Shape.Count > 0 && tensor.Name.Split('.') is [.., var name, "weight"] && Embeddings.Contains(name);
}
