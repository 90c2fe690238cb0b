namespace Smelt.Recipes.Configuration;

/// <summary>The members of an object of canonical JSON, in the order of their keys. A large configuration has tens of thousands of small ones.</summary>
internal sealed class JsonMembers
{
    private readonly List<(string Key, object Value)> _members = new(4);

    public JsonMembers()
    {
    }

    public JsonMembers(IReadOnlyDictionary<string, object> members)
    {
        foreach (var member in members)
            _members.Add((member.Key, member.Value));
        _members.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
    }

    public int Count => _members.Count;

    public (string Key, object Value) this[int index] => _members[index];

    /// <summary>Sets a member.</summary>
    public object this[string key]
    {
        set
        {
            var place = _members.Count;
            while (place > 0 && string.CompareOrdinal(_members[place - 1].Key, key) > 0)
                place--;
            if (place > 0 && _members[place - 1].Key == key)
                _members[place - 1] = (key, value);
            else
                _members.Insert(place, (key, value));
        }
    }
}
