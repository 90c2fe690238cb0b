using System.Text;
using Smelt.Mergekit.Documents;
using YamlDotNet.Core;

namespace Smelt.Mergekit.Reading;

/// <summary>A file of mergekit that was read.</summary>
/// <param name="Documents">Its documents, those that could be read.</param>
/// <param name="Problems">Everything that is wrong with it.</param>
public sealed record ReadMergekit(IReadOnlyList<MergekitDocument> Documents, IReadOnlyList<Problem> Problems)
{
    /// <summary>Whether the file can't be used.</summary>
    public bool HasErrors => Problems.Any(p => p.Severity == Severity.Error);
}

/// <summary>
/// Reads configurations of mergekit 0.1.5: merges, stages of several documents, and mixtures of experts. Unknown keys and
/// wrong types, which mergekit mostly passes over, are reported, all of them, each with file, line and column.
/// </summary>
public static class MergekitReader
{
    /// <summary>The longest text that is read: far beyond any configuration.</summary>
    private const int MaxLength = 16 << 20;

    /// <summary>Reads a configuration from UTF-8.</summary>
    /// <param name="utf8">The text; a byte order mark is skipped.</param>
    /// <param name="file">The file's path, for the places of problems.</param>
    public static ReadMergekit Read(byte[] utf8, string file)
    {
        try
        {
            return Read(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8), file);
        }
        catch (DecoderFallbackException)
        {
            return new ReadMergekit([], [MergekitRules.NotYaml.At(file, "the file is not UTF-8 text.")]);
        }
    }

    /// <summary>Reads a configuration.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">The file's path, for the places of problems.</param>
    public static ReadMergekit Read(string text, string file)
    {
        var problems = new ProblemList(file);
        var documents = new List<MergekitDocument>();
        if (text.Length > MaxLength)
            problems.Add(MergekitRules.NotYaml, default, $"the file has {text.Length} characters; allowed: {MaxLength}.");
        else
            Read(text.TrimStart('\uFEFF'), problems, documents);
        return new ReadMergekit(documents, problems.All);
    }

    private static void Read(string text, ProblemList problems, List<MergekitDocument> documents)
    {
        try
        {
            var yaml = new YamlReader(problems);
            foreach (var part in YamlParser.Parse(text))
            {
                // What follows a last "---" is no document.
                if (part is YamlScalar { IsNull: true })
                    continue;
                if (part is not YamlMap map)
                    yaml.Wrong(part, "the document", "a mapping with merge_method, models and other keys");
                else if ((MixtureReader.IsMixture(map) ? new MixtureReader(yaml).Read(map) : (MergekitDocument?)new MergeReader(yaml).Read(map)) is { } document)
                    documents.Add(document);
            }

            if (documents.Count == 0 && !problems.HasErrors)
                problems.Add(MergekitRules.NotYaml, default, "the file holds no configuration.", "Write merge_method and models.");
        }
        catch (YamlException e)
        {
            problems.Add(MergekitRules.NotYaml, new Place((int)e.Start.Line, (int)e.Start.Column), $"the configuration is not YAML: {FirstLine(e.Message)}.");
        }
    }

    private static string FirstLine(string message) => message.Split('\n')[0].Trim().TrimEnd('.');
}
