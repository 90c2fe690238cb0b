using System.Text;

namespace Smelt.Checkpoints.Tests;

/// <summary>Chat templates are found where readers find them, and stated in both places.</summary>
public sealed class ChatTemplateFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smelt-templates-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("of the file", """{"chat_template": "of the key"}""", "of the file")]
    [InlineData(null, """{"chat_template": "of the key"}""", "of the key")]
    [InlineData(null, """{"chat_template": [{"name": "rag", "template": "a"}, {"name": "default", "template": "b"}]}""", "b")]
    [InlineData(null, """{"chat_template": [{"name": "rag", "template": "a"}]}""", null)]
    [InlineData(null, """{"chat_template": null}""", null)]
    [InlineData(null, """{"bos_token": "<s>"}""", null)]
    [InlineData(null, null, null)]
    public void The_template_of_a_model_is_found(string? file, string? config, string? expected)
    {
        Write("chat_template.jinja", file);
        Write("tokenizer_config.json", config);
        Assert.Equal(expected, ChatTemplateFiles.Of(_folder));
    }

    [Fact]
    public void A_template_is_stated_and_nothing_else_changes()
    {
        var config = "\uFEFF{\"model_max_length\": 1000000000000000019884624838656, \"chat_template\": \"old\", \"a\": [\"\u00e9<|im_end|>\", 1e-05]}";
        Assert.Equal(
            "{\n  \"model_max_length\": 1000000000000000019884624838656,\n  \"chat_template\": \"{{ \\\"<s>\\\" }}\\n\",\n  \"a\": [\n    \"\u00e9<|im_end|>\",\n    1e-05\n  ]\n}\n",
            Encoding.UTF8.GetString(ChatTemplateFiles.WithTemplate("c", Encoding.UTF8.GetBytes(config), "{{ \"<s>\" }}\n")));
    }

    [Theory]
    [InlineData("[]", "no JSON object")]
    [InlineData("{", "no JSON")]
    [InlineData("""{"a": 1, "a": 2}""", "no JSON")]
    public void What_is_no_object_is_refused(string config, string phrase)
    {
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => ChatTemplateFiles.WithTemplate("c", Encoding.UTF8.GetBytes(config), "")).Problems);
        Assert.Equal(("SM6012", "c"), (problem.Id, problem.Where));
        Assert.Contains(phrase, problem.Message, StringComparison.Ordinal);
    }

    /// <summary>The texts hold what the formats define; their whitespace control leaves no line break outside of quotes.</summary>
    [Theory]
    [InlineData("alpaca", "'### Instruction:\\n'", "'### Response:\\n'")]
    [InlineData("chatml", "'<|im_start|>'", "'<|im_end|>\\n'")]
    [InlineData("exaone", "'[|'", "'[|endofturn|]\\n'")]
    [InlineData("llama3", "'<|start_header_id|>'", "'<|eot_id|>'")]
    [InlineData("mistral", "'[INST] '", "' [/INST]'")]
    public void Every_name_has_its_text(string name, params string[] parts)
    {
        var text = ChatTemplateFiles.Known(name);
        Assert.All(parts, part => Assert.Contains(part, text, StringComparison.Ordinal));
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < lines.Length; i++)
        {
            Assert.Matches(@"^\{(\{.*\}|%.*%)\}$", lines[i]);
            Assert.True(!lines[i].EndsWith("}}", StringComparison.Ordinal) || lines[i + 1].StartsWith("{%-", StringComparison.Ordinal), $"the line break after {lines[i]} would be part of the conversation");
        }
    }

    [Fact]
    public void There_is_a_text_for_every_name_but_auto() =>
        Assert.All(Recipes.ChatTemplate.Names.Where(n => n != "auto"), name => Assert.NotEmpty(ChatTemplateFiles.Known(name)));

    private void Write(string name, string? content)
    {
        if (content is not null)
            File.WriteAllText(Path.Combine(_folder, name), content);
    }
}
