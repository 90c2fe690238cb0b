using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text.Json;

namespace Smelt.Tool;

/// <summary>
/// Loads what every merge needs of the libraries while the command line is parsed: the libraries of JSON and of hashes take
/// 5 ms each to load, and the other core has nothing to do yet.
/// </summary>
internal static class Preload
{
    /// <summary>Starts it in the background; it ends by itself.</summary>
    public static void Start()
    {
        if (Environment.ProcessorCount > 1)
            new Thread(Load) { IsBackground = true, Name = "smelt-preload" }.Start();
    }

    private static void Load()
    {
        using (var json = JsonDocument.Parse("{\"a\":[1]}"))
            json.RootElement.TryGetProperty("a", out _);
        SHA256.HashData([]);
        XxHash3.HashToUInt64([]);
    }
}
