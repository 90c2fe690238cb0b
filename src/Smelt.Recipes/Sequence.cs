using System.Collections;
using System.Runtime.CompilerServices;

namespace Smelt.Recipes;

/// <summary>
/// An immutable list with value equality, so that two recipes with equal parts are equal. Written as a collection
/// expression: <c>Experts = [a, b, ..more]</c>.
/// </summary>
/// <typeparam name="T">What the list holds.</typeparam>
#if NET
[CollectionBuilder(typeof(Sequence), nameof(Sequence.Create))]
#endif
public sealed class Sequence<T> : IReadOnlyList<T>, IEquatable<Sequence<T>>
{
    private readonly T[] _items;

    internal Sequence(T[] items) => _items = items;

    /// <summary>The list without elements.</summary>
    public static Sequence<T> Empty { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _items.Length;

    /// <inheritdoc/>
    public T this[int index] => _items[index];

    /// <inheritdoc/>
    public bool Equals(Sequence<T>? other) => other is not null && _items.SequenceEqual(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Sequence<T>);

    /// <inheritdoc/>
    public override int GetHashCode() => _items.Aggregate(17, (hash, item) => unchecked((hash * 31) + (item?.GetHashCode() ?? 0)));

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => "[" + string.Join(", ", _items) + "]";
}

/// <summary>Builds <see cref="Sequence{T}"/> values.</summary>
public static class Sequence
{
#if NET
    /// <summary>A list of the given elements.</summary>
    public static Sequence<T> Create<T>(ReadOnlySpan<T> items) => items.Length == 0 ? Sequence<T>.Empty : new(items.ToArray());
#endif

    /// <summary>A list of the given elements.</summary>
    public static Sequence<T> From<T>(IEnumerable<T> items) => new(items.ToArray());
}
