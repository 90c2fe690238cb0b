using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Smelt.Merging.Kernels;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>What is known of one finished block at one sweep point.</summary>
/// <param name="Hash">XxHash128 of the block's bytes in the output.</param>
/// <param name="Balance">Positive minus negative elected signs.</param>
/// <param name="ZeroVotes">Elements whose election summed to zero although a delta was not zero.</param>
/// <param name="Assumed">What those elected.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct BlockRecord(UInt128 Hash, int Balance, int ZeroVotes, ZeroVote Assumed);

/// <summary>
/// The list of finished blocks of a merge under way. A record follows the block's bytes, never precedes them, and carries
/// a checksum, so that a killed run leaves at most one torn record at the end, which is dropped.
/// </summary>
/// <remarks>
/// Layout, little-endian: a header of 8 bytes magic, 32 bytes of the plan's fingerprint, then records: 8 bytes block
/// index, 28 bytes for each sweep point, 16 bytes hash for each source, 8 bytes XxHash3 of the record before it.
/// </remarks>
internal sealed class Journal : IDisposable
{
    private const int HeaderBytes = 40;
    private const int PointBytes = 28;

    /// <summary>Larger records, of many sweep points, don't go onto the stack.</summary>
    private const int MostOnStack = 2048;
    private static ReadOnlySpan<byte> Magic => "SMELTJ02"u8;

    private readonly SafeFileHandle _file;
    private readonly int _points;
    private readonly int _sources;
    private long _end;

    private Journal(SafeFileHandle file, int points, int sources)
    {
        _file = file;
        _points = points;
        _sources = sources;
        _end = HeaderBytes;
    }

    private int RecordBytes => RecordBytesOf(_points, _sources);

    /// <summary>
    /// Opens the journal of a merge with what an earlier run of the same plan left; a journal of another plan, or a
    /// damaged one, is started anew.
    /// </summary>
    /// <param name="path">The journal's file.</param>
    /// <param name="fingerprint">32 bytes that stand for the plan and the identity of its inputs.</param>
    /// <param name="points">The number of sweep points.</param>
    /// <param name="sources">The most sources that a block has.</param>
    /// <returns>The journal, and whether it belongs to an earlier run of the same plan.</returns>
    public static (Journal Journal, bool Resumed) Open(string path, ReadOnlySpan<byte> fingerprint, int points, int sources)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path} is a folder; the merge keeps a file there.");
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var journal = new Journal(file, points, sources);
        Span<byte> header = stackalloc byte[HeaderBytes];
        var resumed = RandomAccess.Read(file, header, 0) == HeaderBytes
            && header[..8].SequenceEqual(Magic) && header[8..].SequenceEqual(fingerprint);
        if (resumed)
        {
            // A torn record at the end is written over.
            journal._end += journal.Count * journal.RecordBytes;
        }
        else
        {
            Magic.CopyTo(header);
            fingerprint.CopyTo(header[8..]);
            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, header, 0);
        }

        return (journal, resumed);
    }

    /// <summary>The number of records that an earlier run left, read one by one with <see cref="TryRead"/>.</summary>
    public long Count => (RandomAccess.GetLength(_file) - HeaderBytes) / RecordBytes;

    /// <summary>
    /// Reads a record; false where a run that was killed between two of several threads' writes left a gap. Safe to call from several threads.
    /// </summary>
    /// <param name="index">Its number, from 0.</param>
    /// <param name="block">The finished block.</param>
    /// <param name="points">Takes what is known of it at each sweep point.</param>
    /// <param name="sources">Takes the hashes of its sources.</param>
    public bool TryRead(long index, out long block, Span<BlockRecord> points, Span<UInt128> sources)
    {
        Span<byte> record = RecordBytes <= MostOnStack ? stackalloc byte[RecordBytes] : new byte[RecordBytes];
        block = -1;
        if (RandomAccess.Read(_file, record, HeaderBytes + (index * RecordBytes)) != record.Length
            || BinaryPrimitives.ReadUInt64LittleEndian(record[^8..]) != XxHash3.HashToUInt64(record[..^8]))
            return false;
        block = BinaryPrimitives.ReadInt64LittleEndian(record);
        for (var i = 0; i < points.Length; i++)
        {
            var place = record[(8 + (PointBytes * i))..];
            points[i] = new BlockRecord(
                BinaryPrimitives.ReadUInt128LittleEndian(place),
                BinaryPrimitives.ReadInt32LittleEndian(place[16..]),
                BinaryPrimitives.ReadInt32LittleEndian(place[20..]),
                (ZeroVote)BinaryPrimitives.ReadInt32LittleEndian(place[24..]));
        }

        for (var i = 0; i < sources.Length; i++)
            sources[i] = BinaryPrimitives.ReadUInt128LittleEndian(record[(8 + (PointBytes * _points) + (16 * i))..]);
        return true;
    }

    /// <summary>Adds a finished block, whose bytes are already written. Safe to call from several threads.</summary>
    public void Append(long block, ReadOnlySpan<BlockRecord> points, ReadOnlySpan<UInt128> sources)
    {
        Span<byte> record = RecordBytes <= MostOnStack ? stackalloc byte[RecordBytes] : new byte[RecordBytes];
        record.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(record, block);
        for (var i = 0; i < points.Length; i++)
        {
            var place = record[(8 + (PointBytes * i))..];
            BinaryPrimitives.WriteUInt128LittleEndian(place, points[i].Hash);
            BinaryPrimitives.WriteInt32LittleEndian(place[16..], points[i].Balance);
            BinaryPrimitives.WriteInt32LittleEndian(place[20..], points[i].ZeroVotes);
            BinaryPrimitives.WriteInt32LittleEndian(place[24..], (int)points[i].Assumed);
        }

        for (var i = 0; i < sources.Length; i++)
            BinaryPrimitives.WriteUInt128LittleEndian(record[(8 + (PointBytes * points.Length) + (16 * i))..], sources[i]);
        BinaryPrimitives.WriteUInt64LittleEndian(record[^8..], XxHash3.HashToUInt64(record[..^8]));
        RandomAccess.Write(_file, record, Interlocked.Add(ref _end, record.Length) - record.Length);
    }

    /// <summary>Forgets all blocks, for a plan whose finished blocks turned out to need another pass.</summary>
    public void Clear()
    {
        RandomAccess.SetLength(_file, HeaderBytes);
        _end = HeaderBytes;
    }

    /// <summary>The part of a plan's blocks that a journal lists, from 0 to 1; 0 where there is none.</summary>
    public static double ShareOf(MergePlan plan, string path)
    {
        var blocks = plan.Tensors.Sum(t => BlockMap.CountOf(t.ElementCount));
        return new FileInfo(path) is { Exists: true, Length: > HeaderBytes } file && blocks > 0
            ? Math.Min(1, (double)((file.Length - HeaderBytes) / RecordBytesOf(plan.Streams, plan.MostSources)) / blocks)
            : 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>The fingerprint of a plan: its configuration, this version, and the identity of every file that is read.</summary>
    public static byte[] Fingerprint(MergePlan plan) => System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', [plan.ConfigurationHash, Manifest.ToolVersion, .. Manifest.SeedOf(plan) is { } seed ? [seed.ToJsonString()] : Array.Empty<string>(), .. plan.Stages.Select(s => Convert.ToHexString(Fingerprint(s.Plan))), .. plan.Files.Select(f => $"{f.FullPath}|{f.Length}|{f.LastWriteTicks}")])));

    private static int RecordBytesOf(int points, int sources) => 16 + (PointBytes * points) + (16 * sources);
}
