using System.Linq.Expressions;
using System.Runtime.InteropServices;

namespace Smelt.Targets;

/// <summary>
/// The base class of a build: its targets are properties, its parameters are members with <see cref="ParameterAttribute"/>,
/// its components are interfaces. <c>static int Main() => Execute&lt;Build&gt;(x => x.Merge);</c> runs what the command line says.
/// </summary>
public abstract class SmeltBuild : ISmeltBuild
{
    private readonly Dictionary<string, object?> _values = [];

    /// <inheritdoc/>
    public string RootDirectory { get; internal set; } = "";

    /// <inheritdoc/>
    public Partition Partition { get; internal set; } = Partition.Single;

    /// <inheritdoc/>
    public CancellationToken Cancellation => Host.Cancellation;

    /// <inheritdoc/>
    public TextWriter Out => Host.Out;

    /// <summary>The build's name, which its state is kept under; its class's name unless overridden.</summary>
    protected internal virtual string Name => GetType().Name;

    internal BuildHost Host { get; set; } = BuildHost.OfProcess(CancellationToken.None);

    /// <inheritdoc/>
    public T? TryGetValue<T>(Expression<Func<T?>> parameter) =>
        parameter.Body is MemberExpression member && _values.TryGetValue(member.Member.Name, out var value) ? (T?)value : default;

    /// <summary>A path below the root folder; an absolute one stays as it is.</summary>
    public string PathOf(params string[] parts) => Path.GetFullPath(Path.Combine([RootDirectory, .. parts]));

    /// <summary>
    /// Runs the targets that the command line of this process names. Ctrl-C and SIGTERM stop it: the target at work is asked
    /// to end, nothing more is started, and the exit code is 130; a second one ends the process at once.
    /// </summary>
    /// <typeparam name="T">The build.</typeparam>
    /// <param name="defaults">The targets that run where the command line names none.</param>
    /// <returns>The exit code: 0 done, 1 a target failed, 2 bad input, 130 stopped.</returns>
    protected static int Execute<T>(params Func<T, Target>[] defaults)
        where T : SmeltBuild, new()
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext context)
        {
            if (stop.IsCancellationRequested)
                Environment.Exit(BuildRunner.Interrupted);
            context.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return Execute(new T(), Environment.GetCommandLineArgs()[1..], BuildHost.OfProcess(stop.Token), defaults);
    }

    /// <summary>Runs a build inside a program.</summary>
    /// <param name="build">The build.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="host">What it runs in.</param>
    /// <param name="defaults">The targets that run where the command line names none.</param>
    /// <returns>The exit code: 0 done, 1 a target failed, 2 bad input, 130 stopped.</returns>
    public static int Execute<T>(T build, IReadOnlyList<string> arguments, BuildHost host, params Func<T, Target>[] defaults)
        where T : SmeltBuild
    {
        build.Host = host;
        return new BuildRunner(build, host).Run(arguments, () => [.. defaults.Select(d => d(build))]);
    }

    internal void SetValue(BuildParameter parameter, object? value)
    {
        _values[parameter.Name] = value;
        parameter.Set(this, value);
    }
}
