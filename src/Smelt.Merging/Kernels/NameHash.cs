using System.IO.Hashing;
using System.Text;

namespace Smelt.Merging.Kernels;

/// <summary>64-bit hashes of names, for keys and counters of <see cref="Philox"/>: the same on every machine and in every version.</summary>
internal static class NameHash
{
    /// <summary>XxHash3 (64 bits, seed 0) of the UTF-8 bytes of <paramref name="name"/>.</summary>
    internal static ulong Of(string name) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(name));
}
