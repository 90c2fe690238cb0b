using System.Reflection;

namespace Smelt.Targets;

/// <summary>A target of a build with its relations to the others.</summary>
internal sealed class TargetNode(string name, Target factory, TargetDefinition definition)
{
    public string Name { get; } = name;

    /// <summary>What the build's property gives; equal each time it is asked.</summary>
    public Target Factory { get; } = factory;
    public TargetDefinition Definition { get; } = definition;

    /// <summary>Targets that run first and are part of every plan that this one is part of.</summary>
    public List<TargetNode> Dependencies { get; } = [];

    /// <summary>Those of the dependencies whose products are read.</summary>
    public List<TargetNode> Sources { get; } = [];

    /// <summary>Targets that run first where they are part of the plan.</summary>
    public List<TargetNode> Earlier { get; } = [];

    /// <summary>Targets that bring this one into the plan.</summary>
    public List<TargetNode> TriggeredBy { get; } = [];

    /// <summary>Targets that this one brings into the plan.</summary>
    public List<TargetNode> Triggers { get; } = [];

    /// <summary>All that run before, with what is said of it.</summary>
    public IEnumerable<(TargetNode Node, string How)> Before =>
        Dependencies.Select(d => (d, "depends on")).Concat(TriggeredBy.Select(t => (t, "is triggered by"))).Concat(Earlier.Select(e => (e, "runs after")));

    /// <summary>The targets of a build, related to each other.</summary>
    /// <param name="build">The build.</param>
    /// <param name="problems">Takes what is not sound: circles, names given twice, definitions that fail.</param>
    public static IReadOnlyList<TargetNode> Of(ISmeltBuild build, ICollection<Problem> problems)
    {
        const BindingFlags members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var nodes = new List<TargetNode>();

        // A dot is in the name of what implements a component's member explicitly; it is found as that component's. A
        // class hides targets of the same name in those it is derived from.
        foreach (var property in BuildParameter.BuildTypes(build.GetType()).SelectMany(t => t.GetProperties(members)).Where(p => p.PropertyType == typeof(Target) && !p.Name.Contains('.')))
        {
            if (property.GetValue(build) is not Target target || !target.Equals(property.GetValue(build)))
                problems.Add(TargetRules.BadDefinition.At(property.Name, "the property gives another target each time it is asked, or none.", "Write Target X => _ => _...; and use no local variables in it."));
            else if (nodes.Find(n => n.Name == property.Name) is not { } same)
                nodes.Add(new TargetNode(property.Name, target, Define(build, property.Name, target, problems)));
            else if (!same.Factory.Equals(target) && property.DeclaringType!.IsInterface)
                problems.Add(TargetRules.BadDefinition.At(property.Name, $"{same.Factory.Method.DeclaringType!.Name} and {property.DeclaringType!.Name} have a target of this name.", "Rename one of them."));
        }

        foreach (var node in nodes)
        {
            foreach (var (relation, other) in node.Definition.Relations)
            {
                if (nodes.Find(n => n.Factory.Equals(other)) is { } found)
                    node.Relate(relation, found);
                else
                    problems.Add(TargetRules.BadDefinition.At(node.Name, "it names a target that is no property of the build.", "Declare it as Target X => _ => _...; in the build or in a component."));
            }
        }

        foreach (var circle in Circles(nodes))
        {
            var hows = circle.Zip(circle.Skip(1), (a, b) => $"{a.Name} {a.Before.First(x => x.Node == b).How} {b.Name}");
            problems.Add(TargetRules.Circle.At(circle[0].Name, $"{string.Join(" -> ", circle.Select(n => n.Name))}: {string.Join(", ", hows)}.", "Take one of them away."));
        }

        return nodes;
    }

    private static TargetDefinition Define(ISmeltBuild build, string name, Target target, ICollection<Problem> problems)
    {
        var definition = new TargetDefinition(build);
        try
        {
            target(definition);
        }
        catch (Exception e)
        {
            problems.Add(TargetRules.BadDefinition.At(name, $"its definition failed: {e.Message.ReplaceLineEndings(" ")}", "What is known only when the target runs belongs into a lambda: Produces(() => ...)."));
        }

        return definition;
    }

    private static List<List<TargetNode>> Circles(IReadOnlyList<TargetNode> nodes)
    {
        var finished = new HashSet<TargetNode>();
        var path = new List<TargetNode>();
        var circles = new List<List<TargetNode>>();
        void Visit(TargetNode node)
        {
            if (finished.Contains(node))
                return;
            if (path.IndexOf(node) is >= 0 and var start)
            {
                circles.Add([.. path.Skip(start), node]);
                return;
            }

            path.Add(node);
            foreach (var (before, _) in node.Before)
                Visit(before);
            path.RemoveAt(path.Count - 1);
            finished.Add(node);
        }

        foreach (var node in nodes)
            Visit(node);
        return circles;
    }

    private void Relate(Relation relation, TargetNode other)
    {
        var (list, node) = relation switch
        {
            Relation.DependsOn or Relation.Consumes => (Dependencies, other),
            Relation.DependentFor => (other.Dependencies, this),
            Relation.Before => (other.Earlier, this),
            Relation.After => (Earlier, other),
            Relation.Triggers => (other.TriggeredBy, this),
            _ => (TriggeredBy, other),
        };
        list.Add(node);
        if (relation == Relation.Consumes)
            Sources.Add(other);
        if (relation is Relation.Triggers or Relation.TriggeredBy)
            (relation == Relation.Triggers ? this : other).Triggers.Add(relation == Relation.Triggers ? other : this);
    }
}
