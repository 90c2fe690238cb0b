using Smelt.Tool.Output;
using System.Reflection;
using System.Runtime.Loader;
using Smelt.Recipes;
using Smelt.Recipes.Configuration;
using Smelt.Recipes.Rules;

namespace Smelt.Tool.Sources;

/// <summary>
/// Loads an assembly of recipes beside the tool: what it depends on comes from its own folder, but Smelt.Recipes is the
/// tool's, so that both mean the same types.
/// </summary>
internal sealed class RecipeContext : AssemblyLoadContext
{
    private readonly AssemblyDependencyResolver _resolver;

    private RecipeContext(string path)
        : base(Path.GetFileNameWithoutExtension(path))
    {
        _resolver = new AssemblyDependencyResolver(path);
    }

    /// <summary>Calls the <c>Define</c> method of a class and gives the canonical JSON of its recipe or experiment.</summary>
    /// <param name="assembly">The assembly's file.</param>
    /// <param name="type">The full name of the class.</param>
    /// <param name="name">The recipe's name.</param>
    /// <exception cref="InvalidInputException">The code fails, or the recipe breaks a rule; all problems.</exception>
    public static string Evaluate(string assembly, string type, string name)
    {
        var (defined, reproducible) = Define(assembly, type);
        var problems = defined is Experiment experiment ? ExperimentValidator.Validate(name, experiment) : RecipeValidator.Validate(name, (Recipe)defined, reproducible);
        if (problems.Any(p => p.Severity == Severity.Error))
            throw new InvalidInputException(problems);
        return defined is Experiment sound ? ConfigurationWriter.Write(name, sound) : ConfigurationWriter.Write(name, (Recipe)defined);
    }

    /// <summary>Loads an assembly beside the tool.</summary>
    public static Assembly Load(string assembly) => new RecipeContext(assembly).LoadFromAssemblyPath(assembly);

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (assemblyName.Name == typeof(Recipe).Assembly.GetName().Name)
            return typeof(Recipe).Assembly;
        return _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
    }

    /// <inheritdoc/>
    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    /// <summary>The recipe or experiment, and whether it is to be reproducible.</summary>
    private static (object Defined, bool Reproducible) Define(string assembly, string type)
    {
        try
        {
            var owner = new RecipeContext(assembly).LoadFromAssemblyPath(assembly).GetType(type);
            var define = owner?.GetMethod("Define", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic, []);
            if (define is null)
                throw Failure(type, "there is no static method Define without parameters.");
            return define.Invoke(null, null) is object defined and (Recipe or Experiment)
                ? (defined, owner!.GetCustomAttribute<RecipeAttribute>() is { Reproducible: true })
                : throw Failure(type, "Define gave no recipe.");
        }
        catch (TargetInvocationException e)
        {
            var cause = e.InnerException!;
            while (cause is TypeInitializationException { InnerException: { } inner })
                cause = inner;
            throw Failure(type, $"Define threw {cause.GetType().Name}: {OneLine.Of(cause.Message)}{Place(cause)}");
        }
        catch (Exception e) when (e is BadImageFormatException or FileNotFoundException or FileLoadException or TypeLoadException)
        {
            throw Failure(type, $"the assembly can't be loaded: {OneLine.Of(e.Message)}");
        }
    }

    private static InvalidInputException Failure(string type, string message) =>
        new(ToolRules.NotEvaluated.Id, type, message);

    /// <summary>The line of the user's code that threw, where the assembly has its symbols.</summary>
    private static string Place(Exception cause)
    {
        var frame = new System.Diagnostics.StackTrace(cause, fNeedFileInfo: true).GetFrames().FirstOrDefault(f => f.GetFileName() is not null);
        return frame is null ? "" : $" ({Path.GetFileName(frame.GetFileName())}, line {frame.GetFileLineNumber()})";
    }
}
