using Smelt.Merging.Execution;
using Smelt.Recipes;
using Smelt.Tool.Output;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt verify</c>: compares outputs with the hashes in their manifests.</summary>
internal static class VerifyCommand
{
    /// <summary>Verifies the output in a folder; every difference is a problem.</summary>
    /// <param name="output">The folder.</param>
    /// <param name="inputs">Whether the models it was made of are verified too.</param>
    /// <param name="root">The folder that relative paths of inputs start from.</param>
    /// <param name="json">Whether the result is a JSON document.</param>
    /// <param name="terminal">Where it writes.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ExitCode Execute(string output, bool inputs, string root, bool json, Terminal terminal, CancellationToken cancellation) =>
        Session.Run("verify", terminal, json, session =>
        {
            var counter = new ProgressCounter();
            VerificationResult result;
            using (json ? null : new ProgressReporter(terminal, "verify", counter))
                result = Verification.Run(output, inputs, root, Environment.ProcessorCount, counter, cancellation);
            session.Report(null, result.Problems);
            session.Document = session.Document with { Verified = new VerifiedDocument(output, result.Tensors, result.Bytes) };
            if (result.Problems.Count > 0)
                return ExitCode.BadInput;
            if (!json)
                terminal.Out.WriteLine($"{output}: {result.Tensors} tensors, {(ByteSize)result.Bytes}, all as the manifest says");
            return ExitCode.Done;
        });
}
