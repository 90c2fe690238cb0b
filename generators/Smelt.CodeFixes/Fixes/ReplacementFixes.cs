using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;

namespace Smelt.CodeFixes.Fixes;

/// <summary>Writes the value that the rule itself proposes.</summary>
public abstract class ReplacementFix : RecipeCodeFix
{
    private readonly string _title;

    private protected ReplacementFix(string title, params string[] ids)
        : base(ids) => _title = title;

    private protected sealed override Edit? Find(Breach breach)
    {
        if (!breach.IsExact || breach.Replacement is not { } replacement || breach.Expression is not { } expression)
            return null;
        var value = SyntaxFactory.ParseExpression(replacement).WithTriviaFrom(expression);
        return new Edit(string.Format(System.Globalization.CultureInfo.InvariantCulture, _title, replacement), expression, editor => editor.ReplaceNode(expression, value));
    }
}

/// <summary>Sets a value that is out of range to the nearest one of the range (SM2001).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ClampFix)), Shared]
public sealed class ClampFix() : ReplacementFix("Change to {0}, the nearest value allowed", "SM2001");

/// <summary>Writes the tensor pattern that was probably meant (SM3006, SM3010).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(PatternFix)), Shared]
public sealed class PatternFix() : ReplacementFix("Change to {0}", "SM3006", "SM3010");

/// <summary>Writes a name of a recipe that is usable (SM1005) and not taken (SM1006).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RecipeNameFix)), Shared]
public sealed class RecipeNameFix() : ReplacementFix("Name the recipe {0}", "SM1005", "SM1006");

/// <summary>Writes the new name of a hub model that moved (SM0003).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(HubNameFix)), Shared]
public sealed class HubNameFix() : ReplacementFix("Change to {0}", "SM0003");

/// <summary>Writes a constant for a gradient or a sweep that is one (SM3007, SM0006, SM0007).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ConstantFix)), Shared]
public sealed class ConstantFix() : ReplacementFix("Write {0}", "SM3007", "SM0006", "SM0007");

/// <summary>Writes the axis that was probably meant (SM4005), or a name that an axis may have (SM4006).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(AxisNameFix)), Shared]
public sealed class AxisNameFix() : ReplacementFix("Change the axis to {0}", "SM4005", "SM4006");

/// <summary>Writes the name of the chat template that was probably meant (SM2017).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ChatTemplateFix)), Shared]
public sealed class ChatTemplateFix() : ReplacementFix("Change to {0}", "SM2017");
