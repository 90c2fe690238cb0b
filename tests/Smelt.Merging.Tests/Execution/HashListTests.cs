using System.Text;
using System.Text.Json;
using CsCheck;
using Smelt.Merging.Execution;

namespace Smelt.Merging.Tests.Execution;

/// <summary>Lists of hashes have the bytes that the library's writer would give them.</summary>
public sealed class HashListTests
{
    private static readonly Gen<string> Name = Gen.OneOf(Gen.String, Gen.String["abz.AZ_09-/ "]).Where(s => !s.Any(char.IsSurrogate));

    [Fact]
    public void A_list_is_printed_as_the_library_prints_it() =>
        Gen.Select(Gen.Select(Name, Gen.ULong, Gen.ULong).Array[0, 5], Gen.Int[0, 3]).Sample((entries, depth) =>
        {
            var hashes = entries.Select(e => (e.Item1, new UInt128(e.Item2, e.Item3))).ToArray();
            Assert.Equal(
                Document(depth, json =>
                {
                    json.WriteStartObject("list");
                    foreach (var (name, hash) in hashes)
                        json.WriteString(name, hash.ToString("x32", System.Globalization.CultureInfo.InvariantCulture));
                    json.WriteEndObject();
                }),
                Document(depth, json => HashList.Write(json, "list", HashList.Of(hashes, json.CurrentDepth))));
        });

    private static string Document(int depth, Action<Utf8JsonWriter> write)
    {
        var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            for (var i = 0; i < depth; i++)
                json.WriteStartObject("in");
            write(json);
            json.WriteNumber("after", 1);
            for (var i = 0; i <= depth; i++)
                json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.ToArray());
    }
}
