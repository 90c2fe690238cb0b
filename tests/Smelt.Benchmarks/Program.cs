using Smelt.Benchmarks;

// Usage: Smelt.Benchmarks [merges|processes|kernels|torch|generator] [--root DIR] [--size 135M|1.2B|3.2B|8B|30B] [--linked] [--output DIR] [--experts N] [--runs N] [--cold] [--only NAME] [--tool PATH] [--recipes N]
var options = new Options(args);
switch (args.FirstOrDefault(a => !a.StartsWith('-')))
{
    case "processes":
        ProcessBenchmark.Run(options);
        break;
    case "torch":
        TorchBaseline.Run(options);
        break;
    case "kernels":
        KernelBenchmark.Run(options);
        break;
    case "generator":
        GeneratorBenchmark.Run(options);
        break;
    default:
        MergeBenchmark.Run(options);
        break;
}
