namespace Smelt.Targets;

/// <summary>A target of a plan.</summary>
/// <param name="Target">The target.</param>
/// <param name="SkipReason">Why it is known before the run that the target is skipped; null where it is not.</param>
/// <param name="OnlyTriggered">Whether it runs only if one of the targets that trigger it did.</param>
internal sealed record PlannedTarget(TargetNode Target, string? SkipReason, bool OnlyTriggered);

/// <summary>The targets that a run consists of, in their order.</summary>
internal static class ExecutionPlan
{
    /// <summary>
    /// Plans a run: the targets asked for with all they depend on and trigger. The order keeps every relation; where it is
    /// free, targets come as they are written: on the command line, then in <c>DependsOn</c>.
    /// </summary>
    /// <param name="requested">The targets asked for.</param>
    /// <param name="skipped">The targets to skip; empty for all but those asked for; null for none.</param>
    /// <exception cref="InvalidOperationException">The targets form a circle.</exception>
    public static IReadOnlyList<PlannedTarget> Create(IReadOnlyList<TargetNode> requested, IReadOnlyCollection<TargetNode>? skipped)
    {
        var found = new List<TargetNode>();
        var reasons = new Dictionary<TargetNode, string?>();
        void Visit(TargetNode node)
        {
            if (!reasons.TryAdd(node, SkipReason(node, requested, skipped)))
                return;
            if (reasons[node] is null || !node.Definition.SkipsDependencies)
            {
                foreach (var dependency in node.Dependencies)
                    Visit(dependency);
            }

            found.Add(node);
            foreach (var triggered in node.Triggers.Where(_ => reasons[node] is null))
                Visit(triggered);
        }

        foreach (var node in requested)
            Visit(node);

        var needed = found.Where(n => reasons[n] is null || !n.Definition.SkipsDependencies).SelectMany(n => n.Dependencies).Concat(requested).ToHashSet();
        var order = new List<PlannedTarget>();
        var placed = new HashSet<TargetNode>();
        while (order.Count < found.Count)
        {
            var next = found.Find(n => !placed.Contains(n) && n.Before.All(b => placed.Contains(b.Node) || !reasons.ContainsKey(b.Node)))
                ?? throw new InvalidOperationException("the targets form a circle");
            placed.Add(next);
            order.Add(new PlannedTarget(next, reasons[next], !needed.Contains(next)));
        }

        return order;
    }

    private static string? SkipReason(TargetNode node, IReadOnlyList<TargetNode> requested, IReadOnlyCollection<TargetNode>? skipped) =>
        skipped is not null && (skipped.Count == 0 ? !requested.Contains(node) : skipped.Contains(node)) ? "by --skip"
        : node.Definition.StaticConditions.Find(c => !c.Ask(node.Name)) is { } condition ? "only when " + condition.Text
        : null;
}
