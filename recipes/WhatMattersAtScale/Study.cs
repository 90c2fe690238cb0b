namespace WhatMattersAtScale;

/// <summary>
/// The merges of "What Matters for Model Merging at Scale?" (Yadav et al. 2025) on the small model family of recipes/Quick:
/// four methods, 2 to 8 experts drawn three times, lambda from 0 to 1 and two densities, chosen on validation scores later.
/// </summary>
[Experiment("what-matters-at-scale")]
public static class Study
{
    private static readonly Model Instruct = Folder("../Quick/models/instruct");

    private static readonly Scalar Lambdas = Sweep(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1);

    private static readonly Scalar Densities = Sweep(0.1, 0.2);

    /// <summary>The grid: 1 pool, 4 arms, 10 subsets; 560 merges.</summary>
    public static Experiment Define() => new()
    {
        Pools =
        [
            Pool(
                "xs-instruct",
                Instruct,
                Folder("../Quick/models/expert-multiple_choice"),
                Folder("../Quick/models/expert-extractive"),
                Folder("../Quick/models/expert-closed_book"),
                Folder("../Quick/models/expert-sentiment"),
                Folder("../Quick/models/expert-topic"),
                Folder("../Quick/models/expert-structure_to_text"),
                Folder("../Quick/models/expert-summary"),
                Folder("../Quick/models/expert-paraphrase")),
        ],
        Arms =
        [
            Arm("averaging", new Average()),
            Arm("task-arithmetic", new TaskArithmetic { Lambda = Lambdas }),
            Arm("ties", new Ties { Lambda = Lambdas, Density = Densities }),
            Arm("dare-ties", new DareTies { Lambda = Lambdas, Density = Densities, TrimDensity = 1 }),
        ],
        Subsets = Independent([2, 4, 6, 8], draws: 3, seed: 1),
    };
}
