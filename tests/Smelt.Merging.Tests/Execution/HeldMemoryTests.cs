using Smelt.Merging.Execution;

namespace Smelt.Merging.Tests.Execution;

/// <summary>Columns that are set aside come back as they were, from memory and from the file.</summary>
public sealed unsafe class HeldMemoryTests : IDisposable
{
    private const int Sources = 3;
    private const int Size = sizeof(ushort);

    private readonly string _folder = Directory.CreateTempSubdirectory("smelt-held-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Columns_come_back_from_memory_and_from_the_file()
    {
        using var memory = Memory(Path.Combine(_folder, "columns.tmp"), room: 3000);
        memory.Reserve(memory: 1000, file: 1 << 20);
        var blocks = Enumerable.Range(0, 9).Select(i => Kept(memory, i)).ToArray();
        Assert.InRange(blocks.Count(b => b.Place < 0), 1, blocks.Length - 1);
        if (!OperatingSystem.IsWindows())
            Assert.Empty(Directory.GetFiles(_folder));
        foreach (var i in new[] { 8, 0, 5, 5, 1, 7, 2, 6, 3, 4 })
        {
            memory.Load(i % 2, blocks[i], Size);
            Check(blocks[i], i);
        }

        // What is reserved for codes is there, and no more.
        Assert.True(memory.TryTakeCodes(200) is not null);
        Assert.True(memory.TryTakeCodes(1000) is null);
    }

    [Theory]
    [InlineData(0, "columns.tmp")]
    [InlineData(600, "columns.tmp")]
    [InlineData(1 << 20, "nowhere/columns.tmp")]
    public void Columns_that_there_is_no_room_for_are_refused(long file, string path)
    {
        using var memory = Memory(Path.Combine(_folder, path), room: 0);
        memory.Reserve(memory: 0, file);
        var kept = true;
        for (var i = 0; kept && i < 9; i++)
            kept = memory.TryKeep(0, Filled(memory, i), Size);
        Assert.False(kept);
    }

    private static HeldMemory Memory(string path, long room)
    {
        var memory = new HeldMemory(HeldMemory.StageBytes(2, Sources, Size) + Math.Max(64, room), 2, Sources, Size, path);
        memory.Clear();
        return memory;
    }

    private static HeldBlock Kept(HeldMemory memory, int number)
    {
        var block = Filled(memory, number);
        Assert.True(memory.TryKeep(number % 2, block, Size));
        return block;
    }

    private static HeldBlock Filled(HeldMemory memory, int number)
    {
        var block = memory.Begin(number % 2, null, Sources, Size);
        block.Count = 50 + number;
        for (var i = 0; i < block.Count; i++)
        {
            block.Indices[i] = (ushort)(i * 3);
            for (var s = 0; s < Sources; s++)
                ((ushort*)block.Columns[s])[i] = (ushort)((number * 1000) + (s * 100) + i);
        }

        return block;
    }

    private static void Check(HeldBlock block, int number)
    {
        Assert.Equal(50 + number, block.Count);
        for (var i = 0; i < block.Count; i++)
        {
            Assert.Equal(i * 3, block.Indices[i]);
            for (var s = 0; s < Sources; s++)
                Assert.Equal((number * 1000) + (s * 100) + i, ((ushort*)block.Columns[s])[i]);
        }

        Assert.Equal(4, block.CountBefore(12));
    }
}
