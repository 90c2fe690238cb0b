using Smelt.Recipes;

namespace Smelt.Mergekit;

/// <summary>Where the parts of a recipe stand in the file that it was imported from, by JSON pointer.</summary>
public sealed class PlaceMap
{
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);

    /// <summary>The place of a part, or of the nearest part around it.</summary>
    public Place this[string pointer]
    {
        get
        {
            for (; pointer.Length > 0; pointer = pointer[..pointer.LastIndexOf('/')])
            {
                if (_places.TryGetValue(pointer, out var place))
                    return place;
            }

            return _places.GetValueOrDefault("");
        }
    }

    /// <summary>Notes where a part stands; the first note counts.</summary>
    internal void Add(string pointer, Place place) => _places.TryAdd(pointer, place);

    /// <summary>Notes where the parts of an inner recipe stand.</summary>
    internal void AddAll(string pointer, PlaceMap inner)
    {
        foreach (var (key, place) in inner._places)
            Add(pointer + key, place);
    }

    /// <summary>A problem of the recipe with the place in a file for its JSON pointer; a problem of another kind as it is.</summary>
    public Problem Locate(Problem problem, string file) =>
        problem.Where.Length == 0 || IsPointer(problem.Where) ? problem with { Where = this[problem.Where].In(file) } : problem;

    /// <summary>Whether a place is one of a recipe: it begins with a slot, where a path begins with a folder.</summary>
    private static bool IsPointer(string where) =>
        where[0] == '/' && Slots.Methods.Values.SelectMany(Slots.Of).Select(s => s.Name).Append("name").Contains(where.Split('/')[1]);
}
