using System.Runtime.InteropServices;
using Smelt.Checkpoints;

namespace Smelt.Benchmarks;

/// <summary>Sizes of a Llama-shaped model.</summary>
internal sealed record ModelShape(string Name, int Hidden, int Intermediate, int Layers, int KeyValueWidth, int Vocabulary, bool Tied)
{
    /// <summary>Too small to measure anything but start-up.</summary>
    public static readonly ModelShape Tiny = new("tiny", 8, 16, 1200, 4, 64, true);

    /// <summary>135 million parameters.</summary>
    public static readonly ModelShape Small = new("135M", 576, 1536, 30, 192, 49152, true);

    /// <summary>1.1 billion parameters: of these, 8 experts, a base and an output fit in 24 GB of memory.</summary>
    public static readonly ModelShape Eight = new("1.1B", 2048, 5632, 22, 256, 32000, false);

    /// <summary>1.2 billion parameters.</summary>
    public static readonly ModelShape Large = new("1.2B", 2048, 8192, 16, 512, 128256, true);

    /// <summary>3.2 billion parameters.</summary>
    public static readonly ModelShape Medium = new("3.2B", 3072, 8192, 28, 1024, 128256, true);

    /// <summary>8 billion parameters, in sparse files.</summary>
    public static readonly ModelShape Huge = new("8B", 4096, 14336, 32, 1024, 128256, false) { IsSparse = true };

    /// <summary>30 billion parameters, in sparse files.</summary>
    public static readonly ModelShape Giant = new("30B", 6656, 17920, 60, 6656, 32000, false) { IsSparse = true };

    /// <summary>All sizes.</summary>
    public static IReadOnlyList<ModelShape> All => [Tiny, Small, Eight, Large, Medium, Huge, Giant];

    /// <summary>Whether the weights are holes in the files, read as zeros: for memory and time, without disks of that size.</summary>
    public bool IsSparse { get; init; }

    /// <summary>The tensors in the order of a checkpoint.</summary>
    public IEnumerable<LayoutTensor> Tensors()
    {
        yield return Tensor("model.embed_tokens.weight", Vocabulary, Hidden);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return Tensor(prefix + "input_layernorm.weight", Hidden);
            yield return Tensor(prefix + "mlp.down_proj.weight", Hidden, Intermediate);
            yield return Tensor(prefix + "mlp.gate_proj.weight", Intermediate, Hidden);
            yield return Tensor(prefix + "mlp.up_proj.weight", Intermediate, Hidden);
            yield return Tensor(prefix + "post_attention_layernorm.weight", Hidden);
            yield return Tensor(prefix + "self_attn.k_proj.weight", KeyValueWidth, Hidden);
            yield return Tensor(prefix + "self_attn.o_proj.weight", Hidden, Hidden);
            yield return Tensor(prefix + "self_attn.q_proj.weight", Hidden, Hidden);
            yield return Tensor(prefix + "self_attn.v_proj.weight", KeyValueWidth, Hidden);
        }

        yield return Tensor("model.norm.weight", Hidden);
        if (!Tied)
            yield return Tensor("lm_head.weight", Vocabulary, Hidden);
    }

    private static LayoutTensor Tensor(string name, params long[] shape) => new(name, TensorType.BF16, shape);
}

/// <summary>
/// Makes model families of seeded random numbers in BF16: a base of standard deviation 0.02, and experts that add a delta
/// of 0.0005, so that many deltas are equal, as in models that were really fine-tuned in BF16.
/// </summary>
internal static partial class ModelMaker
{
    private const int Chunk = 1 << 20;

    /// <summary>Makes the base and the experts below a folder, unless they are there; returns their folders, base first.</summary>
    /// <param name="shape">Their size.</param>
    /// <param name="experts">How many experts.</param>
    /// <param name="root">The folder.</param>
    /// <param name="linked">Whether the base is a sparse file of zeros and all experts are links to one file: models that fit in memory where so many do not.</param>
    public static string[] Make(ModelShape shape, int experts, string root, bool linked = false)
    {
        shape = linked ? shape with { Name = shape.Name + "-linked" } : shape;
        var layout = ShardLayout.Create(shape.Tensors(), long.MaxValue);
        var folders = Enumerable.Range(0, experts + 1).Select(i => FolderOf(shape, i, root)).ToArray();
        Parallel.For(0, linked ? 2 : folders.Length, Make);
        for (var i = 2; linked && i < folders.Length; i++)
            Make(i);
        return folders;

        void Make(int i)
        {
            var file = Path.Combine(folders[i], CheckpointFolder.SingleName);
            if (File.Exists(file) && new FileInfo(file).Length == layout.TotalFileBytes)
                return;
            Directory.CreateDirectory(folders[i]);
            File.WriteAllText(Path.Combine(folders[i], "config.json"), """{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "tie_word_embeddings": true, "dtype": "bfloat16"}""");
            if (linked && i > 1)
            {
                File.Delete(file);
                Link(Path.Combine(folders[1], CheckpointFolder.SingleName), file);
                return;
            }

            using var stream = File.Create(file, 1 << 16);
            stream.Write(layout.Files[0].Header.Span);
            if (linked ? i == 0 : shape.IsSparse)
                stream.SetLength(layout.TotalFileBytes);
            else
                Fill(stream, layout.TotalFileBytes - layout.Files[0].Header.Length, i);
        }
    }

    /// <summary>Gives a file a second name; another name of a symbolic link would be the same checkpoint.</summary>
    private static void Link(string file, string name)
    {
        if (link(file, name) != 0)
            throw new IOException($"{name}: the file can't be linked (error {Marshal.GetLastPInvokeError()})");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string file, string name);

    /// <summary>The folder of a model; 0 is the base.</summary>
    public static string FolderOf(ModelShape shape, int model, string root) =>
        Path.Combine(root, shape.Name, model == 0 ? "base" : $"expert-{model}");

    private static void Fill(FileStream stream, long bytes, int expert)
    {
        var values = new ushort[Chunk];
        var baseRandom = new Noise(1);
        var deltaRandom = new Noise((uint)expert + 100);
        for (long done = 0; done < bytes; done += Chunk * sizeof(ushort))
        {
            for (var i = 0; i < Chunk; i++)
            {
                var value = 0.02f * baseRandom.Next();
                if (expert > 0)
                    value = Round(value) + (0.0005f * deltaRandom.Next());
                values[i] = (ushort)(BitConverter.SingleToUInt32Bits(Round(value)) >> 16);
            }

            stream.Write(MemoryMarshal.AsBytes(values.AsSpan())[..(int)Math.Min(Chunk * sizeof(ushort), bytes - done)]);
        }
    }

    private static float Round(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }

    /// <summary>A fast generator of nearly normal numbers: the sum of four uniform ones.</summary>
    private sealed class Noise(uint seed)
    {
        private ulong _state = (seed * 0x9E3779B97F4A7C15UL) | 1;

        public float Next()
        {
            _state ^= _state << 13;
            _state ^= _state >> 7;
            _state ^= _state << 17;
            var s = (float)((ushort)_state + (ushort)(_state >> 16) + (ushort)(_state >> 32) + (ushort)(_state >> 48));
            return (s - 131070f) * (1.7320508f / 65536f);
        }
    }
}
