using System.Linq.Expressions;

namespace Smelt.Targets;

/// <summary>What components see of the build that they are part of. A component is an interface that extends this one; its targets are default members.</summary>
public interface ISmeltBuild
{
    /// <summary>The folder that relative paths start from: the nearest one upwards with <c>.smelt</c> or <c>.git</c>, else the current folder; <c>--root</c> names another.</summary>
    string RootDirectory { get; }

    /// <summary>Cancelled when the build is to stop.</summary>
    CancellationToken Cancellation { get; }

    /// <summary>The part that <c>--partition</c> names; all without it.</summary>
    Partition Partition { get; }

    /// <summary>Where results go: standard output, unless the build runs inside a program.</summary>
    TextWriter Out { get; }

    /// <summary>The value of a parameter of a component; null (or 0, or false) where none is given.</summary>
    /// <param name="parameter">The property: <c>() => OutputFolder</c>. It is not evaluated.</param>
    T? TryGetValue<T>(Expression<Func<T?>> parameter);

    /// <summary>A path below the root folder; an absolute one stays as it is.</summary>
    string PathOf(params string[] parts) => Path.GetFullPath(Path.Combine([RootDirectory, .. parts]));
}
