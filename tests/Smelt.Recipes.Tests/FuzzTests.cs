using System.Text;
using Smelt.Recipes.Configuration;
using Smelt.Tests;

namespace Smelt.Recipes.Tests;

/// <summary>Damaged configurations get a verdict: no crash, no hang, no memory out of proportion.</summary>
public class FuzzTests
{
    private static readonly string[] Samples =
    [
        """{"version": 1, "name": "a", "method": "average", "experts": [{"model": {"folder": "x"}, "weight": 0.5}, {"model": {"folder": "y"}}], "normalize": true}""",
        """
        {"version": 1, "name": "b", "method": "ties", "base": {"hub": "a/b", "revision": "main"}, "density": {"sweep": [0.1, 0.2]}, "lambda": 0.7, "trim": "model",
         "experts": [{"model": {"folder": "x"}, "density": 0.5, "tensors": [{"on": "**.mlp.**", "weight": 1}]}], "tensors": [{"keep": ["lm_head.**"]}, {"on": "{a,b}.*", "lambda": 2}],
         "dtype": "bf16", "maxShardSize": 5000000000}
        """,
        """{"version": 1, "name": "c", "method": "dare_ties", "base": {"folder": "b"}, "experts": [{"model": {"folder": "x"}}], "seed": 42, "rescale": "inverse", "density": 0.5}""",
    ];

    [Fact]
    public void Configurations() => Fuzz.Run([.. Samples.Select(Encoding.UTF8.GetBytes)], bytes => ConfigurationReader.Read(bytes, "fuzz.json"), bytesPerByte: 4000);
}
