using System.Diagnostics;
using Xunit;

namespace Smelt.Tests;

/// <summary>A test that mounts a small file system of its own. Where that is not allowed it is reported as skipped, not as passed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> Allowed = new(Try);

    public MountFactAttribute()
    {
        if (!Allowed.Value)
            Skip = "mounting a file system takes rights that this run has not";
    }

    private static bool Try()
    {
        if (!OperatingSystem.IsLinux())
            return false;
        var folder = Directory.CreateTempSubdirectory("smelt-mount-").FullName;
        try
        {
            return Run("mount", "-t", "tmpfs", "-o", "size=64k", "none", folder) && Run("umount", folder);
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
