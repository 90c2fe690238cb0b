using Smelt.Mergekit.Documents;
using Smelt.Recipes;

namespace Smelt.Mergekit.Importing;

/// <summary>Number formats in the words of mergekit.</summary>
internal static class Dtypes
{
    private static readonly (string Name, DType Dtype)[] Names =
    [
        ("bfloat16", DType.BF16), ("float16", DType.F16), ("float32", DType.F32), ("float64", DType.F64),
    ];

    /// <summary>The format of a name, with or without <c>torch.</c> before it; null where none is given or it is not known.</summary>
    public static DType? Read(Located<string>? text, ProblemList problems)
    {
        if (text is null)
            return null;
        var name = text.Value.StartsWith("torch.", StringComparison.Ordinal) ? text.Value["torch.".Length..] : text.Value;
        if (Names.Any(n => n.Name == name))
            return Names.First(n => n.Name == name).Dtype;
        var known = Names.Select(n => n.Name).ToArray();
        problems.Add(MergekitRules.WrongType, text.Place, $"'{text.Value}' is no number format that can be merged; allowed: {string.Join(", ", known)}.", ProblemList.DidYouMean(name, known));
        return null;
    }

    /// <summary>The name of a format.</summary>
    public static string Name(DType dtype) => Names.First(n => n.Dtype == dtype).Name;
}
