namespace Smelt.Recipes;

/// <summary>
/// Whether one pattern covers all that another does. Both become automata over the characters of a name in which every
/// segment, also the last, ends with a dot; their subsets of states are walked side by side.
/// </summary>
internal static class GlobRelation
{
    /// <summary>The pairs of subsets that are looked at before the question is left open.</summary>
    private const int MaxPairs = 2000;

    /// <summary>Whether every name that <paramref name="inner"/> matches is matched by <paramref name="outer"/>; false where that would take too long to tell.</summary>
    public static bool Contains(Glob outer, Glob inner)
    {
        if (inner.IsLiteral)
            return outer.IsMatch(inner.Pattern);
        if (outer.IsLiteral)
            return false;
        if (outer.Pattern == "**" || outer.Pattern == inner.Pattern)
            return true;
        if (Automaton.TryBuild(outer) is not { } wide || Automaton.TryBuild(inner) is not { } narrow)
            return false;

        // Characters that stand in neither pattern behave alike: one of them stands for all.
        var alphabet = outer.Segments.Concat(inner.Segments).SelectMany(s => s ?? []).SelectMany(s => s).Where(c => c is not ('*' or '?')).Append('.').Append('\0').Distinct().ToArray();
        var seen = new HashSet<(ulong, ulong)>();
        var open = new Stack<(ulong Narrow, ulong Wide)>();
        // A name has at least one segment, so the start is not looked at before a character was read.
        Step((narrow.Start, wide.Start));
        while (open.Count > 0)
        {
            var pair = open.Pop();
            if (!seen.Add(pair))
                continue;
            if (seen.Count > MaxPairs || (narrow.Accepts(pair.Narrow) && !wide.Accepts(pair.Wide)))
                return false;
            Step(pair);
        }

        return true;

        void Step((ulong Narrow, ulong Wide) pair)
        {
            foreach (var c in alphabet)
            {
                if (narrow.Step(pair.Narrow, c) is not 0 and var next)
                    open.Push((next, wide.Step(pair.Wide, c)));
            }
        }
    }

    /// <summary>A nondeterministic automaton of at most 64 states; a set of states is a mask.</summary>
    private sealed class Automaton
    {
        private const int MaxStates = 64;

        /// <summary>Edges: null stands for any character but the dot.</summary>
        private readonly List<(int From, char? On, int To)> _edges = [];
        private readonly List<(int From, int To)> _silent = [];
        private int _states = 1;
        private int _end;

        /// <summary>The states before the first character.</summary>
        public ulong Start { get; private set; }

        /// <summary>The automaton of a pattern; null where it has too many states.</summary>
        public static Automaton? TryBuild(Glob glob)
        {
            var automaton = new Automaton();
            foreach (var segment in glob.Segments)
                automaton.Add(segment);
            if (automaton._states > MaxStates)
                return null;
            automaton.Start = automaton.Close(1);
            return automaton;
        }

        public bool Accepts(ulong states) => (states & (1UL << _end)) != 0;

        public ulong Step(ulong states, char c)
        {
            ulong next = 0;
            foreach (var (from, on, to) in _edges)
            {
                if ((states & (1UL << from)) != 0 && (on is { } only ? only == c : c != '.'))
                    next |= 1UL << to;
            }

            return Close(next);
        }

        private ulong Close(ulong states)
        {
            for (ulong before = 0; before != states;)
            {
                before = states;
                foreach (var (from, to) in _silent)
                {
                    if ((states & (1UL << from)) != 0)
                        states |= 1UL << to;
                }
            }

            return states;
        }

        private void Add(string[]? alternatives)
        {
            var start = _end;
            if (alternatives is null)
            {
                // Any number of segments: a loop back to the start at every dot. A state of its own, as the start may have edges into it.
                var (loop, inside) = (_states++, _states++);
                _silent.Add((start, loop));
                _edges.Add((loop, null, inside));
                _edges.Add((inside, null, inside));
                _edges.Add((loop, '.', loop));
                _edges.Add((inside, '.', loop));
                _end = loop;
                return;
            }

            _end = _states++;
            foreach (var text in alternatives)
            {
                var state = start;
                foreach (var c in text)
                {
                    var next = _states++;
                    if (c == '*')
                    {
                        _silent.Add((state, next));
                        _edges.Add((next, null, next));
                    }
                    else
                    {
                        _edges.Add((state, c == '?' ? null : c, next));
                    }

                    state = next;
                }

                _edges.Add((state, '.', _end));
            }
        }
    }
}
