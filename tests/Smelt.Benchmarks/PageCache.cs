using System.Runtime.InteropServices;

namespace Smelt.Benchmarks;

/// <summary>Makes files cold: their pages leave the system's cache, so that the next read comes from the disk. Linux only.</summary>
internal static partial class PageCache
{
    private const int DontNeed = 4;

    /// <summary>Drops the pages of some files; they are written back first, since only clean pages go.</summary>
    public static void Drop(IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(handle);
            if (Advise((int)handle.DangerousGetHandle(), 0, 0, DontNeed) is not 0 and var error)
                throw new IOException($"{file}: the pages can't be dropped (error {error})");
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(int descriptor, long offset, long length, int advice);
}
