namespace Smelt.Checkpoints;

/// <summary>Reads tensors by plain reads at offsets, from any thread. Files are not mapped: one that shrinks is an error, not a crash.</summary>
public sealed class CheckpointReader : IDisposable
{
    private readonly HandleCache _handles = new(path => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete));

    /// <summary>Fills <paramref name="buffer"/> with bytes of a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="byteOffset">The first byte, counted from the tensor's start.</param>
    /// <param name="buffer">Where they go; it does not reach beyond the tensor.</param>
    /// <exception cref="CheckpointReadException">The file ends too early or can't be read.</exception>
    public void Read(CheckpointTensor tensor, long byteOffset, Span<byte> buffer)
    {
        using var cursor = new Cursor(this);
        cursor.Read(tensor, byteOffset, buffer);
    }

    /// <summary>
    /// Reads for one thread. It holds the file of its last read open, so that the next read of the same file costs no look
    /// at the files that all threads share.
    /// </summary>
    /// <param name="reader">The reader whose files are used.</param>
    public sealed class Cursor(CheckpointReader reader) : IDisposable
    {
        private HandleCache.Lease _lease;
        private CheckpointFile? _file;

        /// <summary>As <see cref="CheckpointReader.Read"/>.</summary>
        public void Read(CheckpointTensor tensor, long byteOffset, Span<byte> buffer)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset + buffer.Length, tensor.ByteLength);
            if (tensor.Parts is { } parts)
            {
                ReadParts(parts, byteOffset, buffer);
                return;
            }

            try
            {
                if (!ReferenceEquals(_file, tensor.File))
                {
                    Dispose();
                    _lease = reader._handles.Rent(tensor.File.FullPath);
                    _file = tensor.File;
                }

                var total = 0;
                while (total < buffer.Length)
                {
                    var read = RandomAccess.Read(_lease.File, buffer[total..], tensor.Offset + byteOffset + total);
                    if (read == 0)
                        throw new CheckpointReadException(tensor, byteOffset + total, "the file is shorter than when it was planned");
                    total += read;
                }
            }
            catch (Exception e) when (e is UnauthorizedAccessException || (e is IOException && e is not CheckpointReadException))
            {
                throw new CheckpointReadException(tensor, byteOffset, e.Message);
            }
        }

        private void ReadParts(IReadOnlyList<CheckpointTensor> parts, long byteOffset, Span<byte> buffer)
        {
            var size = parts[0].ByteLength;
            while (!buffer.IsEmpty)
            {
                var (part, start) = Math.DivRem(byteOffset, size);
                var length = (int)Math.Min(buffer.Length, size - start);
                Read(parts[(int)part], start, buffer[..length]);
                buffer = buffer[length..];
                byteOffset += length;
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            if (_file is not null)
                _lease.Dispose();
            _file = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handles.Dispose();
}

/// <summary>A tensor could not be read.</summary>
/// <param name="tensor">The tensor.</param>
/// <param name="byteOffset">Where reading failed, counted from the tensor's start.</param>
/// <param name="reason">Why.</param>
public sealed class CheckpointReadException(CheckpointTensor tensor, long byteOffset, string reason)
    : IOException($"{tensor.File.FullPath}, tensor {tensor.Name}, byte {byteOffset}: {reason}.");
