using System.Globalization;
using System.Text;

namespace Smelt.Recipes.Inventories;

/// <summary>
/// The lock file of a recipe project: what every input consisted of when <c>smelt lock</c> looked. A text with one fact a
/// line, so that a change of a model is a readable change of the file; models with the same tensors share one list.
/// </summary>
/// <remarks>
/// <code>
/// smelt-lock 1
/// layout 1
/// tensor BF16 1024x48 model.embed_tokens.weight
/// model folder models/base
/// layout 1
/// content 0f3c...
/// file model.safetensors 640112 9b1e...
/// </code>
/// </remarks>
public static class LockFile
{
    /// <summary>The file's name, beside the project.</summary>
    public const string FileName = "smelt.lock";

    private const string Head = "smelt-lock 1";

    /// <summary>The text of a lock file.</summary>
    public static string Write(IEnumerable<ModelInventory> models)
    {
        var text = new StringBuilder(Head).Append('\n');
        var layouts = new Dictionary<Sequence<InventoryTensor>, int>();
        foreach (var model in models)
        {
            if (!layouts.TryGetValue(model.Tensors, out var layout))
            {
                layouts.Add(model.Tensors, layout = layouts.Count + 1);
                text.Append($"layout {layout}\n");
                foreach (var tensor in model.Tensors)
                    text.Append($"tensor {tensor.Type} {Shape(tensor.Shape)} {Escape(tensor.Name)}\n");
            }

            text.Append($"model {Escape(model.Model)}\n");
            text.Append($"layout {layout}\n");
            if (model.Commit.Length > 0)
                text.Append($"commit {Escape(model.Commit)}\n");
            if (model.ContentHash.Length > 0)
                text.Append($"content {model.ContentHash}\n");
            foreach (var file in model.Files)
                text.Append($"file {file.Bytes} {file.HeaderHash} {Escape(file.Name)}\n");
        }

        return text.ToString();
    }

    /// <summary>Reads a lock file.</summary>
    /// <param name="text">The text.</param>
    /// <param name="models">The models; those read before the first line that is no part of a lock file.</param>
    /// <returns>What is wrong with the text, with its line; null where nothing is.</returns>
    public static string? Read(string text, out IReadOnlyList<ModelInventory> models)
    {
        var reader = new Reader();
        models = reader.Models;
        var lines = text.Replace("\r\n", "\n").Split('\n');
        if (lines[0] != Head)
            return $"line 1 is not '{Head}'";
        for (var i = 1; i < lines.Length; i++)
        {
            if (lines[i].Length > 0 && !reader.Take(lines[i]))
                return $"line {i + 1} is no part of a lock file: '{Rules.RecipeValidator.Shortened(lines[i])}'";
        }

        reader.End();
        return null;
    }

    private static string Shape(Sequence<long> shape) =>
        shape.Count == 0 ? "scalar" : string.Join("x", shape.Select(d => d.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Names may hold anything; a line break would end the line.</summary>
    private static string Escape(string name) => name.Replace("\\", "\\\\").Replace("\n", "\\n").Replace("\r", "\\r");

    private static string Unescape(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
                result.Append(text[i]);
            else
                result.Append(text[++i] switch { 'n' => '\n', 'r' => '\r', var c => c });
        }

        return result.ToString();
    }

    private sealed class Reader
    {
        private readonly Dictionary<string, Sequence<InventoryTensor>> _layouts = [];
        private readonly List<InventoryFile> _files = [];
        private List<InventoryTensor>? _tensors;
        private string _layout = "";
        private ModelInventory? _model;

        public List<ModelInventory> Models { get; } = [];

        public bool Take(string line)
        {
            var space = line.IndexOf(' ');
            if (space < 0)
                return false;
            var (word, rest) = (line.Substring(0, space), line.Substring(space + 1));
            switch (word)
            {
                case "layout" when _model is not null && _tensors is null && _layouts.TryGetValue(rest, out var known) && _model.Tensors.Count == 0 && _files.Count == 0:
                    _model = _model with { Tensors = known };
                    return true;
                case "layout":
                    End();
                    (_layout, _tensors) = (rest, []);
                    return !_layouts.ContainsKey(rest);
                case "tensor" when _tensors is not null:
                    return TakeTensor(rest);
                case "model":
                    End();
                    _model = new ModelInventory(Unescape(rest), "", "", Sequence<InventoryFile>.Empty, Sequence<InventoryTensor>.Empty);
                    return true;
                case "commit" when _model is not null:
                    _model = _model with { Commit = Unescape(rest) };
                    return true;
                case "content" when _model is not null:
                    _model = _model with { ContentHash = rest };
                    return true;
                case "file" when _model is not null:
                    return TakeFile(rest);
                default:
                    return false;
            }
        }

        public void End()
        {
            if (_tensors is not null)
                _layouts[_layout] = Sequence.From(_tensors);
            if (_model is not null)
                Models.Add(_model with { Files = Sequence.From(_files) });
            (_tensors, _model) = (null, null);
            _files.Clear();
        }

        private bool TakeTensor(string rest)
        {
            if (rest.Split([' '], 3) is not [var type, var shape, var name])
                return false;
            var dimensions = new List<long>();
            foreach (var part in shape == "scalar" ? [] : shape.Split('x'))
            {
                if (!long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var dimension))
                    return false;
                dimensions.Add(dimension);
            }

            _tensors!.Add(new InventoryTensor(Unescape(name), type, Sequence.From(dimensions)));
            return true;
        }

        private bool TakeFile(string rest)
        {
            if (rest.Split([' '], 3) is not [var bytes, var hash, var name] || !long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
                return false;
            _files.Add(new InventoryFile(Unescape(name), length, hash));
            return true;
        }
    }
}
