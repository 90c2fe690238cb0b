using Smelt.Snapshots;
using Smelt.Tool.Output;

namespace Smelt.Tool.Commands;

/// <summary><c>smelt accept</c>: makes received snapshots the verified ones. Never on a build server.</summary>
internal static class AcceptCommand
{
    /// <summary>Accepts all received snapshots below a folder.</summary>
    public static ExitCode Execute(string folder, Terminal terminal) => Session.Run("accept", terminal, json: false, _ =>
    {
        if (SnapshotFile.IsBuildServer)
            throw new InvalidInputException(ToolRules.BadOption.Id, folder, "snapshots are accepted by people, not by build servers (CI is set).");
        if (!Directory.Exists(folder))
            throw new InvalidInputException(ToolRules.NoSuchSource.Id, folder, "there is no such folder.", "Name the folder of a project or of its snapshots.");
        var accepted = 0;
        foreach (var pending in SnapshotFile.Pending(folder).ToArray())
        {
            pending.Accept();
            terminal.Out.WriteLine("accepted " + pending.Verified);
            accepted++;
        }

        terminal.Out.WriteLine(accepted == 0 ? "nothing to accept" : $"{accepted} accepted");
        return ExitCode.Done;
    });
}
