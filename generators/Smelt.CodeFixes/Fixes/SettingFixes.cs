using System.Composition;
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Smelt.CodeFixes.Editing;

namespace Smelt.CodeFixes.Fixes;

/// <summary>Adds a setting that must be given: a required value (SM2009), a seed (SM2013).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(AddSettingFix)), Shared]
public sealed class AddSettingFix() : RecipeCodeFix("SM2009", "SM2013")
{
    private protected override Edit? Find(Breach breach)
    {
        if (breach.Replacement is not { } value || breach.Expression is not { } recipe || breach.Part.Length == 0 || !Initializers.CanSet(recipe))
            return null;
        var name = char.ToUpper(breach.Part[0], CultureInfo.InvariantCulture) + breach.Part.Substring(1);
        return new Edit($"Add {name} = {value}", recipe, editor =>
            editor.ReplaceNode(recipe, (current, _) => Initializers.With((ExpressionSyntax)current, name, SyntaxFactory.ParseExpression(value))));
    }
}

/// <summary>Adds the base that a method needs (SM1004).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(AddBaseFix)), Shared]
public sealed class AddBaseFix() : RecipeCodeFix("SM1004")
{
    private const string Placeholder = "Folder(\"models/base\")";

    private protected override Edit? Find(Breach breach) =>
        breach.Expression is { } recipe && Initializers.CanSet(recipe)
            ? new Edit("Add a base", recipe, editor =>
                editor.ReplaceNode(recipe, (current, _) => Initializers.With((ExpressionSyntax)current, "Base", SyntaxFactory.ParseExpression(Placeholder))))
            : null;
}

/// <summary>Turns the division by the sum of the weights off where they sum to 0 (SM2004).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(DoNotNormalizeFix)), Shared]
public sealed class DoNotNormalizeFix() : RecipeCodeFix("SM2004")
{
    private protected override Edit? Find(Breach breach)
    {
        if (RecipeAround(breach.Node) is not { } recipe || breach.Model.GetTypeInfo(recipe).Type is not { } type)
            return null;
        var name = HasProperty(type, "NormalizeWeights") ? "NormalizeWeights" : HasProperty(type, "Normalize") ? "Normalize" : null;
        return name is null
            ? null
            : new Edit($"Set {name} = false", recipe, editor =>
                editor.ReplaceNode(recipe, (current, _) => Initializers.With((ExpressionSyntax)current, name, SyntaxFactory.LiteralExpression(SyntaxKind.FalseLiteralExpression))));
    }

    /// <summary>The recipe whose initialiser sets an expression.</summary>
    internal static ExpressionSyntax? RecipeAround(SyntaxNode node) =>
        node.Parent is AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax { Parent: ExpressionSyntax recipe } } ? recipe : null;

    private static bool HasProperty(ITypeSymbol type, string name)
    {
        for (ITypeSymbol? t = type; t is not null; t = t.BaseType)
        {
            if (t.GetMembers(name).OfType<IPropertySymbol>().Any())
                return true;
        }

        return false;
    }
}

/// <summary>Divides the weights of an average without normalisation by their sum (SM2015).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(NormalizeWeightsFix)), Shared]
public sealed class NormalizeWeightsFix() : RecipeCodeFix("SM2015")
{
    private protected override Edit? Find(Breach breach)
    {
        if (breach.Node is not CollectionExpressionSyntax experts || !experts.Elements.All(e => e is ExpressionElementSyntax))
            return null;
        var expressions = experts.Elements.Select(e => ((ExpressionElementSyntax)e).Expression).ToArray();
        var weights = expressions.Select(e => WeightOf(e, breach.Model)).ToArray();
        if (!weights.All(w => w is not null) || weights.Sum() is not { } sum || Math.Abs(sum) < 1e-12)
            return null;
        var normalized = experts.ReplaceNodes(expressions, (expert, _) => WithWeight(expert, weights[Array.IndexOf(expressions, expert)]!.Value / sum));
        return new Edit("Divide the weights by their sum", experts, editor => editor.ReplaceNode(experts, normalized));
    }

    /// <summary>The weight of an expert, 1 where it has none; null where it can't be told.</summary>
    private static double? WeightOf(ExpressionSyntax expert, SemanticModel model)
    {
        if (Initializers.Find(Initializers.Of(expert), "Weight") is { } weight)
            return model.GetConstantValue(weight.Right) is { HasValue: true, Value: IConvertible value and not string } ? Convert.ToDouble(value, CultureInfo.InvariantCulture) : null;
        return expert is InvocationExpressionSyntax or BaseObjectCreationExpressionSyntax || model.GetTypeInfo(expert).Type?.Name == "Model" ? 1 : null;
    }

    private static ExpressionSyntax WithWeight(ExpressionSyntax expert, double weight)
    {
        var value = SyntaxFactory.ParseExpression(weight.ToString("R", CultureInfo.InvariantCulture));
        if (expert is BaseObjectCreationExpressionSyntax)
            return Initializers.With(expert, "Weight", value);
        var made = (ExpressionSyntax)SyntaxFactory.ImplicitObjectCreationExpression(
            SyntaxFactory.ArgumentList(SyntaxFactory.SingletonSeparatedList(SyntaxFactory.Argument(expert.WithoutTrivia()))), null);
        return Initializers.With(made, "Weight", value).WithTriviaFrom(expert);
    }
}
