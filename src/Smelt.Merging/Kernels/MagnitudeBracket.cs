namespace Smelt.Merging.Kernels;

/// <summary>
/// Codes between which a magnitude is looked for in one pass: those inside are counted in a histogram or, where few are
/// expected, listed.
/// </summary>
internal sealed class MagnitudeBracket
{
    /// <summary>Bins of a histogram, at most.</summary>
    internal const int MostBins = 1 << 19;

    /// <summary>Bytes of one worker's histogram of a bracket, at most.</summary>
    internal const long MostBytes = (long)MostBins * sizeof(long);

    /// <summary>Codes of one worker's list of a bracket, at most: they take no more than a histogram.</summary>
    internal const int MostListed = (int)(MostBytes / sizeof(uint));

    /// <summary>A bracket of the codes <paramref name="low"/> to <paramref name="high"/>, both inside.</summary>
    /// <param name="low">Lowest code.</param>
    /// <param name="high">Highest code.</param>
    /// <param name="guess">A code in the bracket that is counted apart; -1 for none.</param>
    /// <param name="blocks">Number of blocks whose elements equal to the guess are counted one by one.</param>
    /// <param name="mostBins">Bins that the histogram may have.</param>
    /// <param name="capacity">Codes that the list may have; 0 for a histogram.</param>
    internal MagnitudeBracket(int low, int high, int guess, int blocks, int mostBins, int capacity = 0)
    {
        (Low, High, Guess, Capacity) = (low, high, guess, capacity);
        while (high - low >> Shift >= mostBins)
            Shift++;

        EqualsOfBlock = new int[blocks];
    }

    /// <summary>Lowest code inside.</summary>
    internal int Low { get; }

    /// <summary>Highest code inside.</summary>
    internal int High { get; }

    /// <summary>The code counted apart, or -1.</summary>
    internal int Guess { get; }

    /// <summary>Codes that the list may have; 0 where there is a histogram instead.</summary>
    internal int Capacity { get; }

    /// <summary>A bin holds 2^Shift codes.</summary>
    internal int Shift { get; }

    /// <summary>Number of bins.</summary>
    internal int Bins => ((High - Low) >> Shift) + 1;

    /// <summary>Elements equal to the guess in each block; shared by all workers.</summary>
    internal int[] EqualsOfBlock { get; }
}
