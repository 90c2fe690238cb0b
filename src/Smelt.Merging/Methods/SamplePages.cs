using Smelt.Merging.Execution;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Methods;

/// <summary>Places evenly spread over merged tensors at which a sample is taken.</summary>
internal static class SamplePages
{
    /// <summary>Elements of a page.</summary>
    public const int Elements = 2048;

    /// <summary>Pages from which the majority of signs is guessed.</summary>
    public const int ForMajority = 64;

    /// <summary>One page in so many is sampled for a threshold of a tensor, within bounds.</summary>
    private const int SampleEvery = 24;

    private const int FewestPages = 8;

    /// <summary>The number of pages that are sampled for a threshold of a tensor of so many elements.</summary>
    public static int CountFor(long elements, int most) => (int)Math.Clamp(elements / Elements / SampleEvery, FewestPages, most);

    /// <summary>
    /// At most <paramref name="count"/> pages over the tensors from <paramref name="first"/> up to <paramref name="end"/>,
    /// each at the start of one of as many equal stretches.
    /// </summary>
    public static List<SubBlock> Of(MergePlan plan, int first, int end, int count)
    {
        var tensors = plan.MergedIn(first, end).ToArray();
        var pages = new List<SubBlock>(count);
        var stretch = Math.Max(Elements, (double)tensors.Sum(t => t.ElementCount) / count);
        long before = 0;
        var next = 0.0;
        foreach (var tensor in tensors)
        {
            while (next < before + tensor.ElementCount)
            {
                // Masks start at multiples of 64 elements, as sub-blocks do.
                var start = ((long)next - before) / Elements * Elements;
                pages.Add(new SubBlock(tensor, start, (int)Math.Min(Elements, tensor.ElementCount - start)));
                next += stretch;
            }

            before += tensor.ElementCount;
        }

        return pages;
    }
}
