using System.Reflection;
using Smelt.Recipes;
using static Smelt.Recipes.Syntax;

[assembly: AssemblyMetadata("smelt.recipe:constant", Smelt.Tool.Fixture.Constant.Json)]
[assembly: AssemblyMetadata("smelt.recipe-hash:constant", "2e0f71246e81135ae47b193bbaa023abbf2fde19d78313d6cfc5bff4c349fc3f")]
[assembly: AssemblyMetadata("smelt.recipe:changed", Smelt.Tool.Fixture.Constant.Json)]
[assembly: AssemblyMetadata("smelt.recipe-hash:changed", "0000000000000000000000000000000000000000000000000000000000000000")]
[assembly: AssemblyMetadata("smelt.recipe-dynamic:evaluated", "Smelt.Tool.Fixture.Evaluated")]
[assembly: AssemblyMetadata("smelt.recipe-dynamic:throwing", "Smelt.Tool.Fixture.Throwing")]
[assembly: AssemblyMetadata("smelt.recipe-dynamic:breaking-rules", "Smelt.Tool.Fixture.BreakingRules")]
[assembly: AssemblyMetadata("smelt.recipe-dynamic:exiting", "Smelt.Tool.Fixture.Exiting")]
[assembly: AssemblyMetadata("smelt.recipe-dynamic:missing", "Smelt.Tool.Fixture.Missing")]
[assembly: AssemblyMetadata("another.key", "is not a recipe")]

namespace Smelt.Tool.Fixture;

/// <summary>A recipe that the generator has folded.</summary>
public static class Constant
{
    /// <summary>Its canonical JSON.</summary>
    public const string Json = """{"experts":[{"model":{"folder":"one"},"weight":1},{"model":{"folder":"two"},"weight":1}],"maxShardSize":5000000000,"method":"average","name":"constant","nonFinite":"fail","normalize":true,"version":1}""";
}

/// <summary>A recipe that has to be evaluated, and prints while it is.</summary>
public static class Evaluated
{
    /// <summary>The recipe.</summary>
    public static Recipe Define()
    {
        Console.WriteLine("this must not mix with the result");
        return new TaskArithmetic
        {
            Base = Folder("base"),
            Experts = [.. Enumerable.Range(0, 2).Select(i => new Expert(Folder("expert" + i)))],
            Lambda = Sweep(0.5, 1),
        };
    }
}

/// <summary>A recipe whose code fails.</summary>
public static class Throwing
{
    /// <summary>Fails.</summary>
    public static Recipe Define() => throw new InvalidOperationException("no models\nhere");
}

/// <summary>A recipe that breaks two rules.</summary>
public static class BreakingRules
{
    /// <summary>The recipe.</summary>
    public static Recipe Define() => new Ties { Base = Folder("base"), Experts = [Folder("base")], Density = 1.5 + Environment.ProcessorCount };
}

/// <summary>A recipe whose code ends its process.</summary>
public static class Exiting
{
    /// <summary>Ends the process.</summary>
    public static Recipe Define()
    {
        Environment.Exit(7);
        return new Average();
    }
}
