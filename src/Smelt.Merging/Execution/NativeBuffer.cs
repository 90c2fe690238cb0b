using System.Runtime.InteropServices;

namespace Smelt.Merging.Execution;

/// <summary>Memory outside of the heap, for what is too large for it: given back at once, and of any length.</summary>
/// <typeparam name="T">What it holds.</typeparam>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private const nuint Alignment = 64;

    /// <param name="length">The number of elements; they are zero.</param>
    public NativeBuffer(long length)
    {
        Length = length;
        Pointer = (T*)NativeMemory.AlignedAlloc((nuint)(length * sizeof(T)), Alignment);
        Clear();
    }

    /// <summary>Gives the memory back where nobody disposed of it.</summary>
    ~NativeBuffer() => NativeMemory.AlignedFree(Pointer);

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>The first element; 64-byte aligned.</summary>
    public T* Pointer { get; private set; }

    /// <summary>Makes all elements zero.</summary>
    public void Clear() => NativeMemory.Clear(Pointer, (nuint)(Length * sizeof(T)));

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        GC.SuppressFinalize(this);
    }
}
