using Microsoft.Win32.SafeHandles;

namespace Smelt.Checkpoints;

/// <summary>
/// Open files, as few as there can be: a sharded model has more shards than a process may have open. The one that was
/// not used for longest is closed first, once nobody uses it; more than the capacity are open only while all are in use, one for each worker and source.
/// </summary>
/// <param name="open">Opens a file.</param>
/// <param name="capacity">How many files stay open.</param>
public sealed class HandleCache(Func<string, SafeFileHandle> open, int capacity = HandleCache.DefaultCapacity) : IDisposable
{
    /// <summary>Enough for a worker that goes through a tensor of a model and its experts; more would bring nothing.</summary>
    public const int DefaultCapacity = 12;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> _order = new();

    /// <summary>A file in use; give it back by disposing of it.</summary>
    public readonly struct Lease : IDisposable
    {
        private readonly HandleCache _cache;
        private readonly Entry _entry;

        internal Lease(HandleCache cache, Entry entry)
        {
            _cache = cache;
            _entry = entry;
        }

        /// <summary>The open file.</summary>
        public SafeFileHandle File => _entry.Handle;

        /// <inheritdoc/>
        public void Dispose() => _cache.Return(_entry);
    }

    /// <summary>Opens a file, or takes it as it is.</summary>
    public Lease Rent(string path)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(path, out var node))
            {
                Shrink(capacity - 1);
                node = new LinkedListNode<Entry>(new Entry(path, open(path)));
                _entries.Add(path, node);
            }
            else
            {
                _order.Remove(node);
            }

            _order.AddFirst(node);
            node.Value.Users++;
            return new Lease(this, node.Value);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var entry in _order)
                entry.Handle.Dispose();
            _order.Clear();
            _entries.Clear();
        }
    }

    private void Return(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            Shrink(capacity);
        }
    }

    private void Shrink(int target)
    {
        for (var node = _order.Last; node is not null && _order.Count > target;)
        {
            var previous = node.Previous;
            if (node.Value.Users == 0)
            {
                node.Value.Handle.Dispose();
                _entries.Remove(node.Value.Path);
                _order.Remove(node);
            }

            node = previous;
        }
    }

    internal sealed class Entry(string path, SafeFileHandle handle)
    {
        public string Path { get; } = path;

        public SafeFileHandle Handle { get; } = handle;

        public int Users { get; set; }
    }
}
