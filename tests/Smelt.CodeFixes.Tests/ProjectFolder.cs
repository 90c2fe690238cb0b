using System.Reflection;

namespace Smelt.CodeFixes.Tests;

/// <summary>Where the sources of these tests lie.</summary>
internal static class ProjectFolder
{
    public static string Path { get; } = typeof(ProjectFolder).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "ProjectDirectory").Value!;
}
