namespace Smelt.Checkpoints;

/// <summary>
/// The headers of models that are opened together. Experts of one base are laid out alike, byte for byte: the header of the first is taken apart, and
/// those of the others are only compared with it. Safe to use from several threads.
/// </summary>
public sealed class SharedHeaders
{
    private readonly List<Entry> _entries = [];

    /// <summary>What a header says: it depends on nothing but its text and the length of its file.</summary>
    /// <param name="text">The text.</param>
    /// <param name="fileLength">The length of the file.</param>
    /// <param name="parse">Takes the text apart.</param>
    internal SafetensorsHeader Of(ReadOnlyMemory<byte> text, long fileLength, Func<ReadOnlyMemory<byte>, SafetensorsHeader> parse)
    {
        Entry? entry;
        lock (_entries)
        {
            entry = _entries.Find(e => e.FileLength == fileLength && e.Text.Span.SequenceEqual(text.Span));
            if (entry is null)
                _entries.Add(entry = new Entry(text, fileLength));
        }

        // A header with an error is taken apart for each file, whose name the error bears.
        lock (entry)
            return entry.Header ??= parse(text);
    }

    private sealed class Entry(ReadOnlyMemory<byte> text, long fileLength)
    {
        public ReadOnlyMemory<byte> Text { get; } = text;

        public long FileLength { get; } = fileLength;

        public SafetensorsHeader? Header { get; set; }
    }
}
