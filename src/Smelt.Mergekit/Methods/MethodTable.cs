using Smelt.Recipes;

namespace Smelt.Mergekit.Methods;

/// <summary>The merge methods of mergekit 0.1.5, their parameters, and what they are in recipes.</summary>
internal static class MethodTable
{
    private static readonly ParameterMap Weight = new("weight", nameof(Expert.Weight)) { PerInput = true, Required = true };
    private static readonly ParameterMap Density = new("density", nameof(Expert.Density)) { PerInput = true };
    private static readonly ParameterMap Gamma = new("gamma", nameof(Expert.Gamma)) { PerInput = true };
    private static readonly ParameterMap DropEpsilon = new("epsilon", nameof(Expert.Epsilon)) { PerInput = true };
    private static readonly ParameterMap Normalize = new("normalize", nameof(Average.Normalize), ParameterKind.Flag);
    private static readonly ParameterMap Rescale = new("rescale", nameof(SparseRecipe.Rescale), ParameterKind.RescaleFlag);
    private static readonly ParameterMap Lambda = new("lambda", nameof(TaskVectorRecipe.Lambda));
    private static readonly ParameterMap T = new("t", nameof(Slerp.T)) { Required = true };
    private static readonly ParameterMap RamEpsilon = new("epsilon", nameof(RamRecipe.Epsilon));
    private static readonly ParameterMap Int8Mask = new("int8_mask", "", ParameterKind.Ignored) { Reason = "it changes the type of a temporary in mergekit, not the result" };
    private static readonly ParameterMap NoDensity = new("density", "", ParameterKind.Ignored) { PerInput = true, Reason = "task_arithmetic drops nothing, in mergekit too; dare_linear and ties do" };
    private static readonly ParameterMap NoRescale = new("rescale", "", ParameterKind.Ignored) { Reason = "task_arithmetic drops nothing that could be rescaled" };

    /// <summary>All methods, in the order of mergekit's manual.</summary>
    public static IReadOnlyList<MethodMap> Methods { get; } =
    [
        new("linear", () => new Average(), Weight, Normalize),
        new("slerp", () => new Slerp(), T),
        new("nuslerp", () => new NuSlerp(), Weight, new("nuslerp_row_wise", nameof(NuSlerp.ColumnWise), ParameterKind.Flag), new("nuslerp_flatten", nameof(NuSlerp.Flatten), ParameterKind.Flag)),
        new("multislerp", () => new MultiSlerp(), Weight, new("normalize_weights", nameof(MultiSlerp.NormalizeWeights), ParameterKind.Flag), new("eps", nameof(MultiSlerp.Epsilon))),
        new("karcher", () => new Karcher(), new("max_iter", nameof(Karcher.MaxIterations), ParameterKind.Whole), new("tol", nameof(Karcher.Tolerance))),
        new("model_stock", () => new ModelStock(), new ParameterMap("filter_wise", nameof(ModelStock.FilterWise), ParameterKind.Flag)),
        new("nearswap", () => new NearSwap(), T),
        new("arcee_fusion", () => new ArceeFusion()) { WritesSingle = true },
        new("sce", () => new Sce { SmallestEnergy = 1e-6 }, Int8Mask, new("select_topk", nameof(Sce.SelectTopK))),
        new("ram", () => new Ram(), RamEpsilon),
        new("ramplus_tl", () => new RamPlus(), new("r", nameof(RamPlus.R)), new("alpha", nameof(RamPlus.Alpha)), RamEpsilon) { WritesSingle = true },
        new("passthrough", () => new Passthrough(), new ParameterMap("scale", nameof(Passthrough.Scale)) { PerInput = true }),
        new("task_arithmetic", () => new TaskArithmetic(), Weight, NoDensity, Normalize, NoRescale, Lambda, Int8Mask),
        new("ties", () => new Ties { Profile = Profile.Mergekit }, Weight, Density, Normalize, Rescale, Lambda, Int8Mask),
        new("breadcrumbs", () => new Breadcrumbs { Profile = Profile.Mergekit }, Weight, Density, Gamma, Normalize, Rescale, Lambda, Int8Mask),
        new("breadcrumbs_ties", () => new BreadcrumbsTies { Profile = Profile.Mergekit }, Weight, Density, Gamma, Normalize, Rescale, Lambda, Int8Mask),
        new("della", () => new Della { Profile = Profile.Mergekit }, Weight, Density, DropEpsilon, Normalize, Rescale, Lambda, Int8Mask),
        new("della_linear", () => new DellaLinear { Profile = Profile.Mergekit }, Weight, Density, DropEpsilon, Normalize, Rescale, Lambda, Int8Mask),
        new("dare_linear", () => new DareLinear { Profile = Profile.Mergekit }, Weight, Density, Normalize, Rescale, Lambda, Int8Mask),
        new("dare_ties", () => new DareTies { Profile = Profile.Mergekit }, Weight, Density, Normalize, Rescale, Lambda, Int8Mask),
    ];

    /// <summary>The names of all parameters of any method.</summary>
    public static IReadOnlyList<string> ParameterNames { get; } = [.. Methods.SelectMany(m => m.Parameters.Select(p => p.Name)).Distinct()];

    /// <summary>The method of a name; null where there is none.</summary>
    public static MethodMap? Find(string name) => Methods.FirstOrDefault(m => m.Name == name);
}
