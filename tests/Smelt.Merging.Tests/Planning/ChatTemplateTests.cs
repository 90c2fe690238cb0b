using Smelt.Checkpoints;
using Smelt.Merging.Planning;
using Smelt.Merging.Tests.Execution;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using static Smelt.Recipes.Syntax;

namespace Smelt.Merging.Tests.Planning;

/// <summary>An output has the chat template that its recipe asks for, and the donor's where it asks for none.</summary>
public sealed class ChatTemplateTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public ChatTemplateTests() => _folder.WriteFamily();

    public void Dispose() => _folder.Dispose();

    private Average Merge => new() { Base = Folder("base"), Experts = [Folder("e1"), Folder("e2"), Folder("e3")] };

    [Fact]
    public void Without_a_template_the_donor_s_files_stay()
    {
        Write("base", "chat_template.jinja", "{{ base }}");
        Write("base", "additional_chat_templates/rag.jinja", "{{ rag }}");
        Write("base", "tokenizer_config.json", """{"chat_template":"{{ old }}"}""");
        var output = _folder.Merge(Merge, "out");
        Assert.Equal("{{ base }}", Read(output, "chat_template.jinja"));
        Assert.Equal("{{ rag }}", Read(output, "additional_chat_templates/rag.jinja"));
        Assert.Equal("""{"chat_template":"{{ old }}"}""", Read(output, "tokenizer_config.json"));
    }

    [Fact]
    public void A_template_takes_the_place_of_all_that_the_donor_has()
    {
        Write("base", "chat_template.jinja", "{{ base }}");
        Write("base", "chat_template.json", """{"chat_template":"{{ old }}"}""");
        Write("base", "additional_chat_templates/rag.jinja", "{{ rag }}");
        Write("base", "tokenizer_config.json", """{"bos_token":"<s>"}""");
        var output = _folder.Merge(Merge with { ChatTemplate = ChatTemplate.ChatML }, "out");
        Assert.Equal(ChatTemplateFiles.Known("chatml"), Read(output, "chat_template.jinja"));
        Assert.Equal(ChatTemplateFiles.Known("chatml"), ChatTemplateFiles.Of(output));
        Assert.False(Path.Exists(Path.Combine(output, "chat_template.json")));
        Assert.False(Path.Exists(Path.Combine(output, "additional_chat_templates")));
        File.Delete(Path.Combine(output, "chat_template.jinja"));
        Assert.Equal(ChatTemplateFiles.Known("chatml"), ChatTemplateFiles.Of(output));
    }

    [Fact]
    public void A_text_in_Jinja_is_written_as_it_is() =>
        Assert.Equal("{% for m in messages %}\r\n{{ m }}\u00e9{% endfor %}", Read(_folder.Merge(Merge with { ChatTemplate = "{% for m in messages %}\r\n{{ m }}\u00e9{% endfor %}" }, "out"), "chat_template.jinja"));

    [Theory]
    [InlineData("{{ b }}", "{{ a }}", "{{ c }}", "{{ a }} ", "{{ a }}")]
    [InlineData("{{ b }}", "{{ a }}", "{{ a }}", "{{ b }}", "{{ b }}")]
    [InlineData(null, "{{ a }}", "{{ c }}", null, "{{ a }}")]
    public void The_most_common_template_is_taken_the_earliest_of_equals(string? ofBase, string? first, string? second, string? third, string expected)
    {
        foreach (var (model, text) in new[] { ("base", ofBase), ("e1", first), ("e2", second), ("e3", third) }.Where(m => m.Item2 is not null))
            Write(model, "chat_template.jinja", text!);
        Assert.Equal(expected, Read(_folder.Merge(Merge with { ChatTemplate = ChatTemplate.Auto }, "out"), "chat_template.jinja"));
    }

    [Fact]
    public void Where_no_input_has_one_there_is_a_warning()
    {
        var plan = Plan(Merge with { ChatTemplate = ChatTemplate.Auto });
        Assert.Equal("SM7045", Assert.Single(plan.Warnings).Id);
        Assert.Null(plan.ChatTemplate);
    }

    [Fact]
    public void A_tokenizer_config_that_is_no_JSON_is_found_before_the_merge()
    {
        Write("base", "tokenizer_config.json", "{");
        var problem = Assert.Single(Assert.Throws<InvalidInputException>(() => Plan(Merge with { ChatTemplate = ChatTemplate.ChatML })).Problems);
        Assert.Equal("SM6012", problem.Id);
        Assert.EndsWith("tokenizer_config.json", problem.Where, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stage_s_template_is_that_of_its_output()
    {
        Write("base", "chat_template.jinja", "{{ base }}");
        var stage = Merge with { ChatTemplate = ChatTemplate.Llama3 };
        Assert.Equal(ChatTemplateFiles.Known("llama3"), Plan(new Average { Experts = [From(stage), Folder("e1")] }).ChatTemplate);
        Assert.Equal("{{ base }}", Plan(new Average { Base = Folder("base"), Experts = [From(stage), Folder("e1")], ChatTemplate = ChatTemplate.Auto }).ChatTemplate);
        Assert.Equal(ChatTemplateFiles.Known("llama3"), Plan(new Average { Experts = [From(stage), Folder("base")], ChatTemplate = ChatTemplate.Auto }).ChatTemplate);
    }

    private MergePlan Plan(Recipe recipe) => Planner.Plan("test", recipe, ConfigurationWriter.Write("test", recipe), _folder.Path);

    private void Write(string model, string name, string content)
    {
        var path = Path.Combine(_folder.Path, model, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    private static string Read(string output, string name) => File.ReadAllText(Path.Combine(output, name));
}
