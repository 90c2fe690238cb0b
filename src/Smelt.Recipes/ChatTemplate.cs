namespace Smelt.Recipes;

/// <summary>
/// The chat template of an output: the most common one of its inputs, a known one by name, or a text in Jinja. Converts from
/// text: a name, or a template.
/// </summary>
public sealed record ChatTemplate
{
    private ChatTemplate(string text) => Text = text;

    /// <summary>
    /// The template that most inputs have; of several that are as common, that of the earliest input, base first. The donor's
    /// where no input has one.
    /// </summary>
    public static ChatTemplate Auto { get; } = new("auto");

    /// <summary>The format of Alpaca: <c>### Instruction:</c> and <c>### Response:</c>.</summary>
    public static ChatTemplate Alpaca { get; } = new("alpaca");

    /// <summary>ChatML: <c>&lt;|im_start|&gt;role</c> to <c>&lt;|im_end|&gt;</c>.</summary>
    public static ChatTemplate ChatML { get; } = new("chatml");

    /// <summary>The format of EXAONE 3: <c>[|role|]</c> to <c>[|endofturn|]</c>.</summary>
    public static ChatTemplate Exaone { get; } = new("exaone");

    /// <summary>The format of Llama 3: <c>&lt;|start_header_id|&gt;role&lt;|end_header_id|&gt;</c> to <c>&lt;|eot_id|&gt;</c>.</summary>
    public static ChatTemplate Llama3 { get; } = new("llama3");

    /// <summary>The format of Mistral's instruction models: <c>[INST]</c> to <c>[/INST]</c>; a system message joins the first turn.</summary>
    public static ChatTemplate Mistral { get; } = new("mistral");

    /// <summary>The names, in ordinal order.</summary>
    public static IReadOnlyList<string> Names { get; } = ["alpaca", "auto", "chatml", "exaone", "llama3", "mistral"];

    /// <summary>The name or the Jinja text, as configurations have it.</summary>
    public string Text { get; }

    /// <summary>Whether the text is the template itself.</summary>
    public bool IsJinja => Text.Contains('{');

    /// <summary>Whether the text is a name or a template; rule SM2017 reports others.</summary>
    public bool IsKnown => IsJinja || Names.Contains(Text);

    /// <summary>A template by its name or its Jinja text.</summary>
    public static implicit operator ChatTemplate(string text) => new(text ?? "");
}
