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

    private const int FewestPages = 8;

    /// <summary>
    /// The number of pages that are sampled for a threshold of so many elements. What the sample costs grows with it, what it leaves open falls with its
    /// square root: the sum is least at a number that grows with the elements to the power of two thirds.
    /// </summary>
    public static int CountFor(long elements, int most = int.MaxValue) => (int)Math.Min(most, FewestPages + (Math.Pow(elements, 2.0 / 3) / 600));

    /// <summary>
    /// At most <paramref name="count"/> pages over the tensors from <paramref name="first"/> up to <paramref name="end"/>,
    /// each at the start of one of as many equal stretches, or further on by <paramref name="shift"/> of a stretch: other pages for whoever another sample misled.
    /// </summary>
    public static List<SubBlock> Of(MergePlan plan, int first, int end, int count, double shift = 0)
    {
        var tensors = plan.MergedIn(first, end).ToArray();
        var pages = new List<SubBlock>(count);
        var stretch = Math.Max(Elements, (double)tensors.Sum(t => t.ElementCount) / count);
        long before = 0;
        var next = shift * stretch;
        foreach (var tensor in tensors)
        {
            while (next < before + tensor.ElementCount && pages.Count < count)
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
