namespace Quick;

/// <summary>A small real model family: eight experts, each fine-tuned from one base on tasks of one category.</summary>
internal static class Family
{
    /// <summary>What every expert started from.</summary>
    public static readonly Model Base = Folder("models/instruct");

    /// <summary>All eight experts.</summary>
    public static readonly Expert[] Experts =
    [
        Folder("models/expert-closed_book"),
        Folder("models/expert-extractive"),
        Folder("models/expert-multiple_choice"),
        Folder("models/expert-paraphrase"),
        Folder("models/expert-sentiment"),
        Folder("models/expert-structure_to_text"),
        Folder("models/expert-summary"),
        Folder("models/expert-topic"),
    ];
}
