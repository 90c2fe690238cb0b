namespace Smelt.Mergekit.Documents;

/// <summary>A value and where it stands.</summary>
/// <param name="Value">The value.</param>
/// <param name="Place">Where it stands.</param>
/// <typeparam name="T">The value's type.</typeparam>
public sealed record Located<T>(T Value, Place Place = default);
