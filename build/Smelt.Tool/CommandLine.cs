using System.CommandLine;
using System.CommandLine.Parsing;
using Smelt.Recipes.Configuration;
using Smelt.Tool.Commands;
using Smelt.Tool.Output;

namespace Smelt.Tool;

/// <summary>The verbs of <c>smelt</c>, their options and their help.</summary>
internal static class CommandLine
{
    /// <summary>Parses a command line and does what it says.</summary>
    public static ExitCode Run(string[] arguments, Terminal terminal, CancellationToken cancellation)
    {
        // The engine of the pipeline reads the rest itself: its options are those of every build.
        if (arguments is [PipelineCommand.Verb, .. var rest])
            return PipelineCommand.Execute(rest, terminal, cancellation);
        var line = Create(terminal, cancellation).Parse(arguments);
        if (line.Errors.Count > 0 || TakenForArguments(line).Any())
        {
            foreach (var error in ErrorsOf(line))
                terminal.Error.WriteLine("smelt: " + error);
            var verb = line.CommandResult.Command is RootCommand ? "" : line.CommandResult.Command.Name + " ";
            terminal.Error.WriteLine($"smelt {verb}--help shows what there is");
            return ExitCode.BadInput;
        }

        return (ExitCode)line.Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false });
    }

    /// <summary>What is wrong with a command line: words that mean nothing with the nearest that do, then the parser's own findings.</summary>
    private static IEnumerable<string> ErrorsOf(ParseResult line)
    {
        var command = line.CommandResult.Command;
        string[] unknown = [.. TakenForArguments(line), .. line.UnmatchedTokens];
        if (command is RootCommand && unknown.FirstOrDefault(t => !t.StartsWith('-')) is { } verb)
        {
            // Whatever follows belongs to the command that was meant.
            yield return $"there is no command '{verb}'. {Suggestion(verb, command.Subcommands)}".TrimEnd();
            yield break;
        }

        for (var i = 0; i < unknown.Length; i++)
        {
            if (unknown[i].StartsWith('-'))
                yield return $"{(command is RootCommand ? "smelt" : command.Name)} has no option '{unknown[i]}'. {Suggestion(unknown[i], command.Options.Concat(line.RootCommandResult.Command.Options))}".TrimEnd();
            else if (i == 0 || !unknown[i - 1].StartsWith('-'))
                yield return $"{command.Name} does not know what '{unknown[i]}' is for; {(command.Arguments.Count == 0 ? "it takes options alone" : $"it takes one {string.Join(" and one ", command.Arguments.Select(a => a.Name))}")}.";
        }

        // The parser speaks of an unknown word as of the command; what it says of an option's value stays, even of the same word.
        foreach (var error in line.Errors.Where(e => e.SymbolResult is OptionResult || !unknown.Any(t => e.Message.Contains($"'{t}'", StringComparison.Ordinal))))
            yield return error.Message;
    }

    /// <summary>Words that look like options and that the parser took for a path; a file of such a name is written <c>./-name</c>.</summary>
    private static IEnumerable<string> TakenForArguments(ParseResult line) => line.CommandResult.Children.OfType<ArgumentResult>()
        .SelectMany(a => a.Tokens).Select(t => t.Value).Where(t => t.Length > 1 && t[0] == '-');

    private static string Suggestion(string word, IEnumerable<Symbol> known) =>
        EditDistance.DidYouMean(word, known.Where(k => !k.Hidden).Select(k => k.Name));

    private static RootCommand Create(Terminal terminal, CancellationToken cancellation)
    {
        var root = new RootCommand(
            """
            Merges neural-network checkpoints from strongly typed C# recipes.

            Examples:
              smelt list recipes/Quick                               names the recipes of a project
              smelt plan recipes/Quick                               shows what they would read, write and take
              smelt run recipes/Quick                                merges all of them into out/
              smelt run recipes/Quick --recipe ties --out ties       merges one of them
              smelt verify out/ties                                  looks for a changed bit in an output
              smelt apply out/emr --task math                        restores a task's model from an output with masks
              smelt run mergekit.yml                                 merges a configuration of mergekit as it is
              smelt import mergekit.yml --out recipes/Mine           makes a recipe project of it
              smelt pipeline recipes/Quick Merge Test                builds, checks, plans, merges and tests what has changed
              smelt explain SM2001                                   says what a rule is about and how to follow it
              smelt run big.json --out big --max-memory 2GiB --force merges a configuration, replacing an older output
            """)
        {
            Run(terminal, cancellation), Plan(terminal, cancellation), List(terminal, cancellation), Check(terminal, cancellation), Verify(terminal, cancellation), Apply(terminal, cancellation), Experiment(terminal, cancellation), Lock(terminal, cancellation), Test(terminal, cancellation), Accept(terminal), Import(terminal), Export(terminal, cancellation), Explain(terminal), Emit(terminal, cancellation), Pipeline(), Evaluate(terminal),
        };
        root.SetAction(_ =>
        {
            terminal.Error.WriteLine("smelt: name a command: run, plan, list, check, verify, apply, experiment, lock, test, accept, import, export, explain or pipeline");
            terminal.Error.WriteLine("smelt --help shows what there is");
            return (int)ExitCode.BadInput;
        });
        return root;
    }

    private static Command Run(Terminal terminal, CancellationToken cancellation)
    {
        var options = new MergeOptionSet(seeds: true);
        var command = new Command(
            "run",
            "Merges every recipe of a path and writes checkpoints that the Hugging Face ecosystem loads. A run that was stopped goes on where it was when it is started again.");
        options.AddTo(command);
        command.SetAction(line => (int)RunCommand.Execute(options.Read(line), terminal, cancellation));
        return command;
    }

    private static Command Plan(Terminal terminal, CancellationToken cancellation)
    {
        var options = new MergeOptionSet(seeds: true);
        var command = new Command("plan", "Shows what run would read and write, the memory and disk it takes, and every problem, from headers alone.");
        options.AddTo(command);
        command.SetAction(line => (int)PlanCommand.Execute(options.Read(line), terminal, cancellation));
        return command;
    }

    private static Command List(Terminal terminal, CancellationToken cancellation)
    {
        var (path, json) = (CommonOptions.Path(), CommonOptions.Json());
        var command = new Command("list", "Lists the recipes of a path and their outputs.") { path, json };
        command.SetAction(line => (int)ListCommand.Execute(line.GetRequiredValue(path), line.GetValue(json), terminal, cancellation));
        return command;
    }

    private static Command Check(Terminal terminal, CancellationToken cancellation)
    {
        var (path, recipe, json) = (CommonOptions.Path(), CommonOptions.Recipe(), CommonOptions.Json());
        var noInputs = new Option<bool>("--no-inputs") { Description = "Check the recipes alone, not their models." };
        var missing = new MissingOptions();
        var command = new Command("check", "Checks recipes and their models, and prints every problem.") { path, recipe, noInputs, json };
        missing.AddTo(command);
        command.SetAction(line => (int)CheckCommand.Execute(line.GetRequiredValue(path), line.GetRequiredValue(recipe), !line.GetValue(noInputs), missing.Read(line), line.GetValue(json), terminal, cancellation));
        return command;
    }

    private static Command Verify(Terminal terminal, CancellationToken cancellation)
    {
        var output = new Argument<string>("OUT") { Description = "The folder of an output, or of a sweep's outputs." };
        var inputs = new Option<bool>("--inputs") { Description = "Verify the models it was made of, too." };
        var root = new Option<string>("--root") { Description = "Where relative paths of inputs start [default: the current folder].", HelpName = "DIR", DefaultValueFactory = _ => "." };
        var json = CommonOptions.Json();
        var command = new Command("verify", "Compares every byte of an output with the hashes taken when it was made.") { output, inputs, root, json };
        command.SetAction(line => (int)VerifyCommand.Execute(line.GetRequiredValue(output), line.GetValue(inputs), line.GetRequiredValue(root), line.GetValue(json), terminal, cancellation));
        return command;
    }

    private static Command Apply(Terminal terminal, CancellationToken cancellation)
    {
        var source = new Argument<string>("OUT") { Description = "The folder of an output with task masks (tall_masks, emr)." };
        var options = new OutputOptionSet("The folder of the restored model [default: OUT-TASK].");
        var task = new Option<string?>("--task") { Description = "The task to restore; without it those there are are listed.", HelpName = "NAME" };
        var baseModel = new Option<string?>("--base") { Description = "The base model's folder [default: the one that the output names].", HelpName = "DIR" };
        var root = new Option<string>("--root") { Description = "Where relative paths of the output's models start [default: the current folder].", HelpName = "DIR", DefaultValueFactory = _ => "." };
        var command = new Command("apply", "Restores the model of one task from an output with task masks, as a checkpoint of its own.") { source };
        options.AddTo(command, task, baseModel, root);
        command.SetAction(line => (int)ApplyCommand.Execute(
            options.Read(line, line.GetRequiredValue(source)), line.GetValue(task), line.GetValue(baseModel), line.GetRequiredValue(root), terminal, cancellation));
        return command;
    }

    private static Command Experiment(Terminal terminal, CancellationToken cancellation)
    {
        var options = new MergeOptionSet("experiment");
        var planOnly = new Option<bool>("--plan") { Description = "Show the grid and what is left of it; merge nothing." };
        var command = new Command("experiment", "Merges the grid of an experiment: its arms on subsets of the experts of its pools. Finished cells are left as they are.") { planOnly };
        options.AddTo(command);
        command.SetAction(line => (int)ExperimentCommand.Execute(options.Read(line), line.GetValue(planOnly), terminal, cancellation));
        return command;
    }

    private static Command Lock(Terminal terminal, CancellationToken cancellation)
    {
        var (path, json) = (CommonOptions.Path(), CommonOptions.Json());
        var noContent = new Option<bool>("--no-content") { Description = "Don't read and hash the weights: sizes and headers alone." };
        var command = new Command("lock", "Writes smelt.lock: what every model of the path's recipes consists of. The compiler checks recipes against it, and a merge refuses a model that changed.") { path, noContent, json };
        command.SetAction(line => (int)LockCommand.Execute(line.GetRequiredValue(path), !line.GetValue(noContent), line.GetValue(json), terminal, cancellation));
        return command;
    }

    private static Command Import(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "A configuration of mergekit (.yml)." };
        var output = new Option<string?>("--out") { Description = "The project's folder [default: the file's name], or with --json the configuration's file [default: standard output].", HelpName = "PATH" };
        var json = new Option<bool>("--json") { Description = "Write a configuration (JSON) instead of a C# project." };
        var force = new Option<bool>("--force") { Description = "Replace files that exist." };
        var command = new Command("import", "Makes a recipe project of a configuration of mergekit.") { file, output, json, force };
        command.SetAction(line => (int)ImportCommand.Execute(line.GetRequiredValue(file), line.GetValue(output), line.GetValue(json), line.GetValue(force), terminal));
        return command;
    }

    private static Command Export(Terminal terminal, CancellationToken cancellation)
    {
        var (path, recipe) = (CommonOptions.Path(), CommonOptions.Recipe());
        var output = new Option<string?>("--out") { Description = "A .yml file, or a folder where there are several configurations [default: standard output].", HelpName = "PATH" };
        var force = new Option<bool>("--force") { Description = "Replace files that exist." };
        var command = new Command("export", "Writes recipes as configurations of mergekit.") { path, recipe, output, force };
        command.SetAction(line => (int)ExportCommand.Execute(line.GetRequiredValue(path), line.GetRequiredValue(recipe), line.GetValue(output), line.GetValue(force), terminal, cancellation));
        return command;
    }

    private static Command Test(Terminal terminal, CancellationToken cancellation)
    {
        var options = new MergeOptionSet();
        var accept = new Option<bool>("--accept") { Description = "Make what is new or different the verified snapshot; refused on build servers." };
        var command = new Command("test", "Merges recipes into a temporary folder and compares every tensor with the verified snapshots beside them.") { accept };
        options.AddTo(command);
        command.SetAction(line => (int)TestCommand.Execute(options.Read(line), line.GetValue(accept), terminal, cancellation));
        return command;
    }

    private static Command Accept(Terminal terminal)
    {
        var folder = new Argument<string>("FOLDER") { Description = "The folder of a project or of its snapshots.", DefaultValueFactory = _ => "." };
        var command = new Command("accept", "Makes received snapshots the verified ones; refused on build servers.") { folder };
        command.SetAction(line => (int)AcceptCommand.Execute(line.GetRequiredValue(folder), terminal));
        return command;
    }

    private static Command Explain(Terminal terminal)
    {
        var rule = new Argument<string?>("RULE") { Description = "The rule's id, such as SM2001, or a word of its title; all rules where it is left out.", Arity = ArgumentArity.ZeroOrOne };
        var json = CommonOptions.Json();
        var command = new Command("explain", "Prints the page of a rule: what it is about, what breaks it and what follows it.") { rule, json };
        command.SetAction(line => (int)ExplainCommand.Execute(line.GetValue(rule), line.GetValue(json), terminal));
        return command;
    }

    /// <summary>For help and suggestions: <see cref="Run(string[], Terminal, CancellationToken)"/> does not come here for it.</summary>
    private static Command Pipeline() => new(PipelineCommand.Verb, "Builds, checks, plans, merges and tests the recipes of a path, without what is up to date; goes on after a failure.")
    {
        CommonOptions.Path(),
    };

    private static Command Emit(Terminal terminal, CancellationToken cancellation)
    {
        var assembly = new Argument<string>("DLL") { Description = "A built assembly with recipes." };
        var project = new Option<string>("--project") { Description = "The project it was built from: relative paths of models start from its folder.", HelpName = "FILE", Required = true };
        var output = new Option<string>("--out") { Description = "The folder for the configurations and their index.", HelpName = "DIR", Required = true };
        var command = new Command("emit", "Writes the configurations of an assembly's recipes, as builds do.") { assembly, project, output };
        command.Hidden = true;
        command.SetAction(line => (int)EmitCommand.Execute(line.GetRequiredValue(assembly), line.GetRequiredValue(project), line.GetRequiredValue(output), terminal, cancellation));
        return command;
    }

    private static Command Evaluate(Terminal terminal)
    {
        var (assembly, type, name) = (new Argument<string>("DLL"), new Argument<string>("TYPE"), new Argument<string>("NAME"));
        var command = new Command("evaluate", "Runs the code of a recipe and prints its configuration.") { assembly, type, name };
        command.Hidden = true;
        command.SetAction(line => (int)EvaluateCommand.Execute(line.GetRequiredValue(assembly), line.GetRequiredValue(type), line.GetRequiredValue(name), terminal));
        return command;
    }
}
