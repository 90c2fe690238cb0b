namespace Smelt.Recipes.Rules;

/// <summary>What holds for rules on tensors: their patterns, what they set, and which of them win.</summary>
internal static class TensorRules
{
    /// <summary>Pairs of patterns that are compared; a recipe with more has its rules made by a program.</summary>
    private const int MaxPairs = 100_000;

    /// <summary>A pattern as it is compared with others.</summary>
    private sealed class Entry(Glob glob, string path, int rule, int kept, TensorOverride? sets, int position)
    {
        public Glob Glob { get; } = glob;

        public string Where => WhereOf(path, Rule, kept);

        /// <summary>The index of its rule.</summary>
        public int Rule { get; } = rule;

        /// <summary>What it sets; null for a pattern of Keep.</summary>
        public TensorOverride? Override { get; } = sets;

        /// <summary>Its place among all patterns.</summary>
        public int Position { get; } = position;
    }

    /// <summary>The place of a rule's pattern, or of one of those that it keeps.</summary>
    private static string WhereOf(string path, int rule, int kept) => kept < 0 ? $"{path}/{rule}/on" : $"{path}/{rule}/keep/{kept}";

    /// <summary>Checks the rules of a recipe or of one expert, but for the values that they set.</summary>
    public static void Check(Sequence<TensorRule> rules, string path, List<Problem> problems)
    {
        var entries = new List<Entry>(rules.Count);
        var slots = Slots.Of(typeof(TensorOverride));
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i] is KeepRule keep)
            {
                if (keep.Globs.Count == 0)
                    problems.Add(RuleTable.EmptyRule.At($"{path}/{i}/keep", "Keep names no tensor.", "Give it at least one pattern: Keep(\"lm_head.**\")."));
                for (var g = 0; g < keep.Globs.Count; g++)
                    AddEntry(keep.Globs[g], path, i, g, null, entries, problems);
            }
            else if (rules[i] is TensorOverride rule)
            {
                if (!Sets(rule, slots, static value => value is not null))
                    problems.Add(RuleTable.EmptyRule.At($"{path}/{i}", $"the rule for '{rule.Match}' sets nothing.", "Add a value, as in On(\"...\") with { Density = 0.3 }, or remove the rule."));
                AddEntry(rule.Match, path, i, -1, rule, entries, problems);
                if (Sets(rule, slots, static value => value is Scalar { IsGradient: true }))
                    CheckGradients(rule, $"{path}/{i}", problems);
            }
        }

        CheckOrder(entries, path, problems);
    }

    /// <summary>Whether a rule has a value of some kind.</summary>
    private static bool Sets(TensorOverride rule, IReadOnlyList<Slot> slots, Func<object?, bool> isMeant)
    {
        for (var i = 0; i < slots.Count; i++)
        {
            if (isMeant(slots[i].Get(rule)))
                return true;
        }

        return false;
    }

    /// <summary>The pattern of a rule or a part; null where it is none, which is reported.</summary>
    public static Glob? CheckGlob(string pattern, string where, List<Problem> problems)
    {
        if (Glob.TryParse(pattern, out var error) is not { } glob)
        {
            problems.Add(RuleTable.GlobSyntax.At(where, $"'{pattern}' is no tensor pattern: {error}.", "Write segments between dots; * stands for characters of a segment, ** for whole segments."));
            return null;
        }

        if (CommonTensors.Misspelt(glob) is { } misspelt)
        {
            var meant = string.Join(".", pattern.Split('.').Select(s => s == misspelt.Segment ? misspelt.Meant : s));
            problems.Add(RuleTable.MisspeltPattern.At(where, $"no common model has tensors named '{misspelt.Segment}'.", $"Did you mean '{misspelt.Meant}'?") with
            {
                Replacement = meant == pattern ? null : Configuration.CanonicalJson.Write(meant),
            });
        }

        return glob;
    }

    private static void AddEntry(string pattern, string path, int rule, int kept, TensorOverride? sets, List<Entry> entries, List<Problem> problems)
    {
        var glob = Glob.TryParse(pattern, out _);
        if (glob is null || CommonTensors.Misspelt(glob) is not null)
            CheckGlob(pattern, WhereOf(path, rule, kept), problems);
        if (glob is not null)
            entries.Add(new Entry(glob, path, rule, kept, sets, entries.Count));
    }

    private static void CheckOrder(List<Entry> entries, string path, List<Problem> problems)
    {
        // Rules for single tensors are found by name, so that thousands of them are no matter; wildcards are compared in pairs.
        var literals = new Dictionary<string, List<Entry>>(StringComparer.Ordinal);
        var wildcards = entries.Where(e => !e.Glob.IsLiteral).ToArray();
        var comparesPairs = (long)wildcards.Length * entries.Count <= MaxPairs;
        foreach (var entry in entries)
        {
            if (wildcards.Length == 0 && entry.Glob.IsLiteral && !literals.ContainsKey(entry.Glob.Pattern))
            {
                literals.Add(entry.Glob.Pattern, [entry]);
                continue;
            }

            literals.TryGetValue(entry.Glob.Pattern, out var same);
            CheckAgainst(entry, same ?? Enumerable.Empty<Entry>(), wildcards, comparesPairs, path, problems);
            if (entry.Glob.IsLiteral)
                (same ?? (literals[entry.Glob.Pattern] = [])).Add(entry);
        }
    }

    private static void CheckAgainst(Entry entry, IEnumerable<Entry> same, Entry[] wildcards, bool comparesPairs, string path, List<Problem> problems)
    {
        var others = same
            .Concat(comparesPairs ? wildcards : wildcards.Where(w => w.Glob.Pattern == entry.Glob.Pattern))
            .Where(o => !ReferenceEquals(o, entry));
        if (entry.Override is null)
            CheckKeep(entry, others, problems);
        else
            CheckOverride(entry, entry.Override, others, path, problems);
    }

    private static void CheckKeep(Entry entry, IEnumerable<Entry> others, List<Problem> problems)
    {
        // Which of two Keep patterns stands first is no matter, but of two that are equal the first stays.
        var winner = others.FirstOrDefault(o => o.Override is null && o.Glob.Contains(entry.Glob)
            && (o.Position < entry.Position || !entry.Glob.Contains(o.Glob)));
        if (winner is not null)
            problems.Add(RuleTable.ShadowedRule.At(entry.Where, $"the pattern '{entry.Glob}' {Covered(entry, winner)}, and they are kept already.", "Remove it."));
    }

    private static void CheckOverride(Entry entry, TensorOverride rule, IEnumerable<Entry> others, string path, List<Problem> problems)
    {
        var dead = new Dictionary<string, Entry>(StringComparer.Ordinal);
        var slots = Slots.Of(typeof(TensorOverride)).Where(s => s.Get(rule) is not null).ToArray();
        foreach (var other in others)
        {
            if (other.Override is null && other.Glob.Contains(entry.Glob))
            {
                problems.Add(RuleTable.ShadowedRule.At(entry.Where, $"the pattern '{entry.Glob}' {Covered(entry, other)}, and Keep takes them from the base as they are.", "Remove one of the two."));
                return;
            }

            if (other.Override is not { } earlier || other.Position > entry.Position)
                continue;
            var shared = slots.Where(s => s.Get(earlier) is not null).ToArray();
            if (shared.Length == 0)
                continue;
            if (other.Glob.Contains(entry.Glob))
            {
                foreach (var slot in shared.Where(s => !dead.ContainsKey(s.Name)))
                    dead.Add(slot.Name, other);
            }
            else if (!entry.Glob.IsLiteral && !entry.Glob.Contains(other.Glob)
                && shared.FirstOrDefault(s => !s.Get(earlier)!.Equals(s.Get(rule))) is { } differing
                && CommonTensors.FirstOfBoth(entry.Glob, other.Glob) is { } name)
            {
                problems.Add(RuleTable.OverlappingRules.At(entry.Where, $"'{entry.Glob}' and '{other.Glob}' of rule {other.Rule} both set {differing.Name} of tensors such as {name}; rule {other.Rule}, the first, wins there."));
            }
        }

        if (dead.Count == 0)
            return;
        if (dead.Count == slots.Length)
        {
            var winner = dead[slots[0].Name];
            problems.Add(RuleTable.ShadowedRule.At(entry.Where, $"the pattern '{entry.Glob}' {Covered(entry, winner)}, which wins.", winner.Glob.Pattern == entry.Glob.Pattern ? "Join the two rules." : "Put the rule for fewer tensors first."));
            return;
        }

        foreach (var slot in slots.Where(s => dead.ContainsKey(s.Name)))
            problems.Add(RuleTable.ShadowedRule.At($"{path}/{entry.Rule}/{slot.Name}", $"rule {dead[slot.Name].Rule} for '{dead[slot.Name].Glob}' sets {slot.Name} of all these tensors, and wins.", "Remove it, or put the rule for fewer tensors first."));
    }

    private static string Covered(Entry entry, Entry by) =>
        by.Glob.Pattern == entry.Glob.Pattern ? $"already stands in rule {by.Rule}" : $"matches only tensors that '{by.Glob}' of rule {by.Rule} matches";

    private static void CheckGradients(TensorOverride rule, string path, List<Problem> problems)
    {
        if (Glob.TryParse(rule.Match, out _) is not { } glob)
            return;
        var outside = glob.Segments.SelectMany(s => s is [var only] ? [only] : Array.Empty<string>()).FirstOrDefault(CommonTensors.OutsideLayers.Contains);
        if (outside is null && glob.Segments.Any(MayBeNumber))
            return;
        foreach (var slot in Slots.Of(typeof(TensorOverride)).Where(s => s.Get(rule) is Scalar { IsGradient: true }))
        {
            problems.Add(RuleTable.GradientOutsideLayers.At(
                $"{path}/{slot.Name}",
                $"{slot.Name} is a gradient over the layers, and '{rule.Match}' matches tensors outside of them, which have its first value alone{(outside is null ? ": no segment of the pattern can be the number of a layer" : "")}.",
                "Write a constant.") with
            {
                Replacement = slot.Get(rule) is Scalar { Values: { Count: > 0 } values } && !double.IsNaN(values[0]) && !double.IsInfinity(values[0]) ? Configuration.CanonicalJson.Number(values[0]) : null,
            });
        }
    }

    private static bool MayBeNumber(string[]? alternatives) =>
        alternatives is null || alternatives.Any(a => a.Length > 0 && a.All(c => c is '*' or '?' or (>= '0' and <= '9')));
}
