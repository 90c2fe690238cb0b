using Smelt.Targets;
using Smelt.Targets.Components;
using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt pipeline PATH [TARGET ...]</c>: the components of recipe projects as one build, without a build project.</summary>
internal static class PipelineCommand
{
    /// <summary>The verb.</summary>
    public const string Verb = "pipeline";

    /// <summary>Runs targets for the recipes of a path; merges and tests where none is named.</summary>
    public static ExitCode Execute(string[] arguments, Terminal terminal, CancellationToken cancellation)
    {
        string[] path = arguments is [var first, ..] && !first.StartsWith('-') ? ["--project", Path.GetFullPath(first)] : [];
        if (path.Length == 0 && !arguments.Any(a => a is "--help" or "-h" or "-?"))
        {
            terminal.Error.WriteLine("smelt: name the recipes first: smelt pipeline PATH [TARGET ...]");
            terminal.Error.WriteLine("smelt pipeline --help shows what there is");
            return ExitCode.BadInput;
        }

        ProjectBuilder.ShareBuilds();
        var host = new BuildHost(terminal.Out, terminal.Error) { Colours = terminal.OutColours && terminal.ErrorColours, Cancellation = cancellation, Command = "smelt pipeline PATH" };
        string[] line = ["--root", ".", .. arguments[(path.Length / 2)..], .. path];
        return (ExitCode)SmeltBuild.Execute(new Pipeline(terminal, path.LastOrDefault(), cancellation), line, host, x => ((IMergeRecipes)x).Merge, x => ((ITestRecipes)x).Test);
    }

    /// <summary>The pipeline; the verbs run inside this process.</summary>
    private sealed class Pipeline(Terminal terminal, string? path, CancellationToken cancellation) : SmeltBuild, IMergeRecipes, ITestRecipes
    {
        /// <inheritdoc/>
        protected override string Name => Verb + "-" + Path.GetFileName(path?.TrimEnd('/', '\\'));

        string IHasRecipes.RunSmelt(bool capture, params IReadOnlyList<string> arguments)
        {
            var results = new StringWriter();
            var code = CommandLine.Run([.. arguments], capture ? terminal with { Out = results, OutColours = false } : terminal, cancellation);
            cancellation.ThrowIfCancellationRequested();
            return code == ExitCode.Done ? results.ToString() : throw new CommandFailedException($"smelt {arguments[0]} ended with exit code {(int)code}");
        }
    }
}
