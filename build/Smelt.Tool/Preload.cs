using System.IO.Hashing;
using System.Security.Cryptography;
using Smelt.Recipes.Configuration;

namespace Smelt.Tool;

/// <summary>
/// Does what every merge of a configuration begins with while the command line is parsed, which the other core has nothing
/// else to do in: reads the configuration, and loads the libraries of hashes, which take 5 ms each.
/// </summary>
internal static class Preload
{
    private static string? _path;
    private static Lazy<ReadConfiguration>? _configuration;

    /// <summary>Starts it in the background, for the arguments of a verb that merges.</summary>
    public static void Start(string[] arguments)
    {
        if (Environment.ProcessorCount < 2)
            return;
        if (Array.Find(arguments, a => a.EndsWith(".json", StringComparison.OrdinalIgnoreCase)) is { } path && File.Exists(path))
        {
            _path = Path.GetFullPath(path);
            _configuration = new Lazy<ReadConfiguration>(() => Read(_path));
        }

        new Thread(Work) { IsBackground = true, Name = "smelt-preload" }.Start();
    }

    /// <summary>The configuration in a file: that which is being read already, or else read now.</summary>
    /// <param name="file">Its full path.</param>
    public static ReadConfiguration Configuration(string file) => _configuration is { } reading && file == _path ? reading.Value : Read(file);

    private static ReadConfiguration Read(string file) => ConfigurationReader.Read(File.ReadAllBytes(file), file);

    private static void Work()
    {
        // Whoever asks for the configuration or a hash gets it again, and says what is wrong.
        Try(() => _ = _configuration?.Value);
        Try(() => SHA256.HashData([]));
        Try(() => XxHash3.HashToUInt64([]));
    }

    private static void Try(Action work)
    {
        try
        {
            work();
        }
        catch (Exception)
        {
        }
    }
}
