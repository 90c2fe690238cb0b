using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Smelt.Merging.Execution;

/// <summary>Flushes files and folders to the disk, so that a rename that follows is a commit.</summary>
internal static partial class Durability
{
    private const int NotSupported = 22;

    /// <summary>Flushes every file below a folder, and the folders themselves.</summary>
    public static void FlushTree(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            RandomAccess.FlushToDisk(handle);
        }

        foreach (var inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories).Append(folder))
            FlushFolder(inner);
    }

    /// <summary>Flushes a folder's list of entries. Windows has no such call and does it by itself.</summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0)
            throw new IOException($"{folder}: can't be opened to flush it: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        try
        {
            // Some network file systems refuse to flush a folder (EINVAL); nothing more can be done there.
            if (Fsync(descriptor) < 0 && Marshal.GetLastPInvokeError() != NotSupported)
                throw new IOException($"{folder}: can't be flushed: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
