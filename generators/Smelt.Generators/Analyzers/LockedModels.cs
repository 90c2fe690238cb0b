using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using Smelt.Recipes;
using Smelt.Recipes.Inventories;
using Smelt.Recipes.Rules;

namespace Smelt.Generators.Analyzers;

/// <summary>The models of a project's lock files, given to the compiler as additional files.</summary>
internal sealed class LockedModels
{
    private readonly Dictionary<string, ModelInventory> _models = new(StringComparer.Ordinal);

    private LockedModels()
    {
    }

    /// <summary>Reads the lock files of a project; those that can't be read are reported by <see cref="Report"/>.</summary>
    public static LockedModels Of(AnalyzerOptions options, CancellationToken cancellation)
    {
        var locked = new LockedModels();
        foreach (var file in options.AdditionalFiles.Where(IsLock))
        {
            if (file.GetText(cancellation) is not { } text || LockFile.Read(text.ToString(), out var models) is not null)
                continue;
            foreach (var model in models)
                locked._models[model.Model] = model;
        }

        return locked;
    }

    /// <summary>Reports a lock file that can't be read.</summary>
    public static void Report(AdditionalFileAnalysisContext context)
    {
        if (IsLock(context.AdditionalFile) && context.AdditionalFile.GetText(context.CancellationToken) is { } text && LockFile.Read(text.ToString(), out _) is { } wrong)
            context.ReportDiagnostic(Diagnostic.Create(RecipeDescriptors.Of(RuleTable.BadLock.Id), Location.Create(context.AdditionalFile.Path, default, default), $"{wrong}. Write it anew with smelt lock."));
    }

    /// <summary>What the models, as they were locked, say against a recipe.</summary>
    public IReadOnlyList<Problem> Check(Recipe recipe) => _models.Count == 0 ? [] : InventoryValidator.Validate(recipe, _models);

    private static bool IsLock(AdditionalText file) => Path.GetFileName(file.Path) == LockFile.FileName;
}
