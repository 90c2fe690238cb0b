using System.Text.Json.Nodes;
using Smelt.Checkpoints;

namespace Smelt.Conformance.Mergekit;

/// <summary>Compares an output folder with a case of mergekit, by the comparison and tolerance that the case states.</summary>
internal static class MergekitComparer
{
    /// <summary>Compares what the case asks for: tensors, keys of config.json, chat template.</summary>
    public static Comparison Compare(GoldenCase golden, string output)
    {
        var errors = new List<string>();
        var tensors = new TensorComparison(golden, errors);
        var deviating = CaseLists.DeviationsOf(golden).SelectMany(d => d.ConfigKeys ?? []).ToArray();
        var check = golden.Json["check"]!.AsArray().Select(c => c!.GetValue<string>()).ToArray();
        if (check.Contains("tensors"))
            tensors.Run(SafetensorsFile.ReadAll(output));
        if (check.Contains("config") && golden.Json["config"] is JsonObject keys)
            CompareConfig(keys.Where(k => !deviating.Contains(k.Key)), Path.Combine(output, "config.json"), errors);
        if (check.Contains("chat_template"))
            CompareTemplate(golden, output, errors);
        return new Comparison(errors, tensors.Elements, tensors.Worst);
    }

    private static void CompareTemplate(GoldenCase golden, string output, List<string> errors)
    {
        var (want, got) = (ChatTemplateFiles.Of(Path.Combine(golden.Folder, "expected")), ChatTemplateFiles.Of(output));
        if (golden.Json["chat_template_contains"] is JsonArray parts)
            errors.AddRange(parts.Select(p => p!.GetValue<string>()).Where(p => got?.Contains(p, StringComparison.Ordinal) != true).Select(p => $"the chat template has no {p}"));
        else if (got != want)
            errors.Add($"the chat template is {got ?? "none"} instead of {want ?? "none"}");
    }

    private static void CompareConfig(IEnumerable<KeyValuePair<string, JsonNode?>> keys, string path, List<string> errors)
    {
        var config = File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path)) as JsonObject : null;
        if (config is null)
        {
            errors.Add("config.json is missing");
            return;
        }

        foreach (var (key, want) in keys)
        {
            // The number format was called torch_dtype by older versions of transformers.
            var alias = key switch
            {
                "dtype" => "torch_dtype",
                "torch_dtype" => "dtype",
                _ => key,
            };
            var got = config.ContainsKey(key) ? config[key] : config[alias];
            if (!JsonNode.DeepEquals(got, want))
                errors.Add($"config.json {key}: {got?.ToJsonString() ?? "none"} instead of {want?.ToJsonString() ?? "none"}");
        }
    }
}
