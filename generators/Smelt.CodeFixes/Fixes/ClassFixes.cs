using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Editing;
using Microsoft.CodeAnalysis.Formatting;

namespace Smelt.CodeFixes.Fixes;

/// <summary>Makes a recipe's class, and the classes around it, such that its accessors can be generated (SM1007).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(MakePartialFix)), Shared]
public sealed class MakePartialFix() : RecipeCodeFix("SM1007")
{
    private protected override Edit? Find(Breach breach)
    {
        if (breach.Node.FirstAncestorOrSelf<ClassDeclarationSyntax>() is not { } recipe)
            return null;
        return new Edit($"Make {recipe.Identifier.ValueText} static and partial", recipe, editor =>
        {
            foreach (var type in recipe.AncestorsAndSelf().OfType<TypeDeclarationSyntax>())
            {
                var modifiers = editor.Generator.GetModifiers(type).WithPartial(true).WithIsFile(false);
                if (type == recipe && CanBeStatic(recipe))
                    modifiers = modifiers.WithIsStatic(true).WithIsSealed(false).WithIsAbstract(false);
                editor.SetModifiers(type, modifiers);
            }
        });
    }

    /// <summary>A class with a base or an interface is no static one; it may be an IRecipe.</summary>
    private static bool CanBeStatic(ClassDeclarationSyntax type) =>
        type.BaseList is null && !type.Members.Any(m => m is ConstructorDeclarationSyntax or BaseMethodDeclarationSyntax or BasePropertyDeclarationSyntax or BaseFieldDeclarationSyntax
            && !m.Modifiers.Any(SyntaxKind.StaticKeyword) && !m.Modifiers.Any(SyntaxKind.ConstKeyword));
}

/// <summary>Adds the method Define to a recipe's or an experiment's class that has none (SM1008).</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(AddDefineFix)), Shared]
public sealed class AddDefineFix() : RecipeCodeFix("SM1008")
{
    private const string RecipeSource =
        """
        public static Recipe Define() => new Average
        {
            Experts = [Folder("models/first"), Folder("models/second")],
        };
        """;

    private const string ExperimentSource =
        """
        public static Experiment Define() => new()
        {
            Pools = [Pool("pool", Folder("models/base"), Folder("models/first"), Folder("models/second"))],
            Arms = [Arm("average", new Average())],
        };
        """;

    private protected override Edit? Find(Breach breach)
    {
        if (breach.Node.FirstAncestorOrSelf<TypeDeclarationSyntax>() is not { } type
            || breach.Model.GetDeclaredSymbol(type) is not { } symbol || !symbol.GetMembers("Define").IsEmpty)
            return null;
        var isExperiment = symbol.GetAttributes().Any(a => a.AttributeClass?.Name == "ExperimentAttribute");
        return new Edit("Add the method Define", type, editor =>
        {
            var method = SyntaxFactory.ParseMemberDeclaration(isExperiment ? ExperimentSource : RecipeSource)!;
            editor.AddMember(type, method.WithAdditionalAnnotations(Formatter.Annotation));
        });
    }
}
