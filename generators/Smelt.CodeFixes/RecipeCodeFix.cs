using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Editing;

namespace Smelt.CodeFixes;

/// <summary>What a fix does about one diagnostic.</summary>
/// <param name="Title">What the editor offers.</param>
/// <param name="Target">What is changed; of several fixes with one target, or one inside another, the outermost is done.</param>
/// <param name="Apply">Makes the change.</param>
internal sealed record Edit(string Title, SyntaxNode Target, Action<DocumentEditor> Apply);

/// <summary>A code fix that is told as one edit for each diagnostic; fixing all of a document is doing all its edits.</summary>
public abstract class RecipeCodeFix : CodeFixProvider
{
    private readonly FixAllProvider _fixAll;

    /// <param name="ids">The rules whose breaches it fixes.</param>
    private protected RecipeCodeFix(params string[] ids)
    {
        FixableDiagnosticIds = [.. ids];
        _fixAll = FixAllProvider.Create(async (context, document, diagnostics) => await FixAsync(document, diagnostics, context.CancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public sealed override ImmutableArray<string> FixableDiagnosticIds { get; }

    /// <inheritdoc/>
    public sealed override FixAllProvider GetFixAllProvider() => _fixAll;

    /// <inheritdoc/>
    public sealed override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        if (await FindAsync(context.Document, context.CancellationToken).ConfigureAwait(false) is not { } source)
            return;
        foreach (var diagnostic in context.Diagnostics)
        {
            if (EditFor(source, diagnostic) is { } edit)
                context.RegisterCodeFix(CodeAction.Create(edit.Title, cancellation => FixAsync(context.Document, [diagnostic], cancellation), GetType().Name), diagnostic);
        }
    }

    /// <summary>What to do about a diagnostic; null where this fix has nothing to offer.</summary>
    private protected abstract Edit? Find(Breach breach);

    private Edit? EditFor((SyntaxNode Root, SemanticModel Model) source, Diagnostic diagnostic)
    {
        var span = diagnostic.Location.SourceSpan;
        return source.Root.FullSpan.Contains(span)
            ? Find(new Breach(diagnostic, source.Root.FindNode(span, getInnermostNodeForTie: true), source.Model))
            : null;
    }

    private async Task<Document> FixAsync(Document document, ImmutableArray<Diagnostic> diagnostics, CancellationToken cancellation)
    {
        if (await FindAsync(document, cancellation).ConfigureAwait(false) is not { } source)
            return document;
        var edits = new List<Edit>();
        foreach (var edit in diagnostics.OrderBy(d => d.Location.SourceSpan.Start).Select(d => EditFor(source, d)).OfType<Edit>())
        {
            if (!edits.Exists(e => e.Target == edit.Target))
                edits.Add(edit);
        }

        var editor = await DocumentEditor.CreateAsync(document, cancellation).ConfigureAwait(false);
        foreach (var edit in edits.Where(e => !edits.Exists(o => o != e && o.Target != e.Target && o.Target.Contains(e.Target))))
            edit.Apply(editor);
        return editor.GetChangedDocument();
    }

    private static async Task<(SyntaxNode Root, SemanticModel Model)?> FindAsync(Document document, CancellationToken cancellation) =>
        await document.GetSyntaxRootAsync(cancellation).ConfigureAwait(false) is { } root && await document.GetSemanticModelAsync(cancellation).ConfigureAwait(false) is { } model
            ? (root, model)
            : null;
}
