namespace Smelt.Mergekit;

/// <summary>
/// Where something stands in a file: line and column, both counted from 1; 0 where it was not read from a file. Places never
/// tell two things apart: all are equal.
/// </summary>
/// <param name="Line">The line.</param>
/// <param name="Column">The column.</param>
public readonly record struct Place(int Line, int Column)
{
    /// <summary>Always true, so that documents are compared by what they say.</summary>
    public bool Equals(Place other) => true;

    /// <inheritdoc/>
    public override int GetHashCode() => 0;

    /// <summary>The place in a file, as compilers write it: <c>merge.yml(5,13)</c>; the file alone without a place.</summary>
    public string In(string file) => Line == 0 ? file : $"{file}({Line},{Column})";
}
