namespace Smelt.Merging.Kernels;

/// <summary>The k-th largest of a list of codes, by counting their upper bits, then the next.</summary>
internal static unsafe class MagnitudeSelect
{
    private const int BinBits = 11;
    private const int CodeBits = 31;

    /// <summary>The code at <paramref name="position"/>, counted from 0 for the largest. The list is reordered.</summary>
    internal static uint At(Span<uint> codes, long position)
    {
        var bins = stackalloc int[1 << BinBits];
        for (var shift = CodeBits - BinBits; ; shift = Math.Max(0, shift - BinBits))
        {
            new Span<int>(bins, 1 << BinBits).Clear();
            foreach (var code in codes)
                bins[(code >> shift) & ((1 << BinBits) - 1)]++;
            var bin = (1 << BinBits) - 1;
            for (; position >= bins[bin]; bin--)
                position -= bins[bin];

            var kept = 0;
            foreach (var code in codes)
            {
                codes[kept] = code;
                kept += ((code >> shift) & ((1 << BinBits) - 1)) == (uint)bin ? 1 : 0;
            }

            codes = codes[..kept];
            if (shift == 0 || kept == 1)
                return codes[0];
        }
    }
}
