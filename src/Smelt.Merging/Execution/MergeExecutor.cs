using System.Diagnostics;
using System.IO.Hashing;
using Smelt.Checkpoints;
using Smelt.Merging.Methods;
using Smelt.Merging.Planning;

namespace Smelt.Merging.Execution;

/// <summary>
/// Carries a plan out: streams blocks of all inputs through the method's kernels and writes every output at offsets known
/// from the plan. Memory does not grow with the model, and the bytes depend on the plan alone.
/// </summary>
public sealed unsafe partial class MergeExecutor : IDisposable
{
    /// <summary>
    /// Blocks of tensors that are prepared and merged together, for each of so many workers or more, unless one tensor has more: enough that waiting for the
    /// slowest worker at the end of each step does not show, few enough that a second step finds in the caches what the first has read.
    /// </summary>
    private const int BlocksPerWorker = 64;

    private const int FewestWorkers = 4;

    /// <summary>
    /// One part in so many of the memory limit may be garbage. There is little, some hundred bytes of each block, but left alone the collector waits
    /// until it fills the last cache, which on large machines is more than a merge takes of memory otherwise, and more than a low limit allows.
    /// </summary>
    private const int GarbageShare = 16;

    private readonly MergePlan _plan;
    private readonly MergeOptions _options;
    private readonly ProgressCounter _progress;
    private readonly MemoryBudget _budget;
    private readonly BlockMap _blocks;
    private readonly WorkFolder _folder;
    private readonly string[] _folders;
    private readonly WorkerPool _pool;
    private readonly Worker[] _workers;
    private readonly CheckpointReader _reader;
    private readonly OutputFiles _outputs;
    private readonly TensorHashes _hashes;
    private readonly StatisticsCollector? _statistics;
    private readonly MethodProgram[] _programs;
    private readonly BlockMerger _merger;
    private readonly BlockMap[] _blockMaps;
    private readonly FinishedBlocks _finished;
    private readonly HeldMemory _held;
    private readonly ContestedBlocks? _contested;

    private MergeExecutor(MergePlan plan, MergeOptions options, MemoryBudget budget, WorkFolder folder, ProgressCounter progress, CancellationToken cancellation)
    {
        _plan = plan;
        _options = options;
        _progress = progress;
        _blocks = new BlockMap(plan.Tensors);
        _finished = new FinishedBlocks(_blocks.Count, plan.Parts.Count, plan.Points.Count);
        _statistics = options.Statistics && StatisticsCollector.Applies(plan) ? new StatisticsCollector(plan) : null;
        _budget = budget;
        _folder = folder;
        _folders = [.. plan.Points.Select(p => Path.Combine(_folder.Path, p.Label))];
        _programs = [.. plan.Parts.Select(part => MethodProgram.Create(plan.Of(part)))];
        _held = new HeldMemory(_budget.HeldBytes, _budget.Threads, _budget.Sources, _budget.ElementBytes, Path.Combine(_folder.Path, "columns.tmp"));
        _reader = new CheckpointReader();
        _workers = [.. Enumerable.Range(0, _budget.Threads).Select(_ => new Worker(_reader, _budget.Sources, plan.Points.Count, plan.Streams - plan.Points.Count, _budget.Elements, _budget.ElementBytes))];
        _outputs = new OutputFiles(plan, _folders);
        _merger = new BlockMerger(plan, _programs, _outputs, _statistics, progress);

        _contested = _programs is [{ ListsContested: true }] ? new ContestedBlocks(Math.Max(0, options.MaxMemory - _budget.PeakBytes) / 2) : null;
        _hashes = new TensorHashes(plan, replaces: _contested is not null);

        // A method's own passes are over its own tensors: those of other parts are not merged in its view of the plan.
        _blockMaps = [.. _programs.Select(p => new BlockMap(p.Plan.Tensors))];

        // Last, for nobody would stop its threads if something here failed.
        _pool = new WorkerPool(_budget.Threads, cancellation);
    }

    /// <summary>The blocks of tensors that are prepared and merged together, not counting the last of these tensors.</summary>
    internal static long BlocksOfWave(int threads) => BlocksPerWorker * Math.Max(threads, FewestWorkers);

    /// <summary>Carries a plan out and commits its output.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="options">How it runs.</param>
    /// <param name="progress">Counts bytes, for whoever shows progress.</param>
    /// <param name="cancellation">Stops the merge; what is finished is kept for the next run.</param>
    /// <exception cref="InvalidInputException">An input holds what can't be merged, or the output may not be written.</exception>
    /// <exception cref="IOException">Reading or writing failed; what is finished is kept for the next run.</exception>
    /// <exception cref="OperationCanceledException">The merge was stopped.</exception>
    public static MergeResult Run(MergePlan plan, MergeOptions options, ProgressCounter progress, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        StageRunner.CheckMemory(plan, options);
        WorkFolder.CheckInputs(plan, options.Output);
        using var folder = WorkFolder.Open(options.Output, options.Force);
        return (plan.Stages.Count > 0 ? StageRunner.Run(plan, options, folder, progress, cancellation) : Run(plan, options, folder, progress, cancellation)) with { Elapsed = watch.Elapsed };
    }

    /// <summary>Carries out a plan without stages in a folder that is locked.</summary>
    internal static MergeResult Run(MergePlan plan, MergeOptions options, WorkFolder folder, ProgressCounter progress, CancellationToken cancellation)
    {
        using var executor = new MergeExecutor(plan, options, MemoryBudget.For(plan, options), folder, progress, cancellation);
        try
        {
            executor.Execute();
        }
        catch (InvalidInputException invalid) when (PlanRules.BlameInputs(invalid))
        {
            folder.Discard();
            throw;
        }
        catch (InvalidOperationException) when (executor.Changed() is { Count: > 0 } changed)
        {
            // One pass did not find what another had counted.
            folder.Discard();
            throw new InvalidInputException(changed);
        }

        return new MergeResult
        {
            Plan = plan,
            Folders = [.. plan.Points.Select(p => p.Label.Length == 0 ? Path.GetFullPath(options.Output) : Path.Combine(Path.GetFullPath(options.Output), p.Label))],
            BytesMoved = progress.Moved,
            ResumedBlocks = executor._finished.Resumed,
            Elapsed = TimeSpan.Zero,
            Statistics = executor._finished.Resumed == 0 ? executor._statistics?.Result() : null,
        };
    }

    /// <summary>Reports an output that stands in the way of a merge; nothing is created.</summary>
    /// <exception cref="InvalidInputException">The output exists, and may not be replaced.</exception>
    public static void CheckOutput(MergePlan plan, MergeOptions options)
    {
        WorkFolder.Check(options.Output, options.Force);
        WorkFolder.CheckInputs(plan, options.Output);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pool.Dispose();
        foreach (var worker in _workers)
            worker.Dispose();
        _held.Dispose();
        _outputs.Dispose();
        _reader.Dispose();
    }

    private void Execute()
    {
        _progress.Start(_plan.BytesToRead + _plan.BytesToWrite);
        using (var journal = OpenJournal())
        {
            MergeAll(journal);
            var again = false;
            for (var part = 0; part < _programs.Length; part++)
                again |= _programs[part].Recheck(_finished.Votes[part]);
            if (again)
            {
                // The majority of signs turned out to be another than assumed, where it matters.
                if (_contested is not null)
                {
                    TakeMajority(journal);
                }
                else
                {
                    journal.Clear();
                    _finished.Clear();
                    MergeAll(journal);
                }
            }
        }

        _hashes.AddWhole([.. _plan.Tensors.SelectMany(t => t.Grams).Distinct(), .. _plan.Given.SelectMany(g => g.Tensors)], tensors => Verification.HashEach(tensors, _pool, _progress));
        var rescalers = Rescalers();
        var changed = Changed();
        if (_options.Lock is { } locked)
            changed.AddRange(_plan.Inputs.Select(i => locked.CheckContent(i, [.. _hashes.Inputs(i)])).OfType<Problem>());
        if (changed.Count > 0)
            throw new InvalidInputException(changed);
        CheckInputs();

        // Windows moves no folder with open files in it.
        _outputs.Dispose();
        _progress.Phase = "finishing";
        for (var point = 0; point < _folders.Length; point++)
            SideFileWriter.Write(_plan, point, _folders[point], _hashes, rescalers[point]);
        _folder.Commit(_options.Durable);
    }

    /// <summary>The inputs that were written to since they were planned.</summary>
    private List<Problem> Changed() => [.. _plan.Files.Select(f => f.VerifyUnchanged()).OfType<Problem>()];

    /// <summary>The rescalers of the task masks of every sweep point; null where there are none.</summary>
    private IReadOnlyList<float>?[] Rescalers()
    {
        var rescalers = new IReadOnlyList<float>?[_plan.Points.Count];
        if (_plan.MaskOutputs is not { OfTasks: true })
            return rescalers;
        foreach (var group in _programs[0].Groups)
        {
            var found = _programs[0].Rescalers(Context(0), group);
            foreach (var point in group.Points)
                rescalers[point] = found;
        }

        return rescalers;
    }

    /// <summary>Refuses inputs that are not those that the plan expects, now that all of their bytes are known.</summary>
    private void CheckInputs()
    {
        var problems = new List<Problem>();
        foreach (var (input, expected) in _plan.Inputs.Zip(_plan.ExpectedInputs))
        {
            var different = _hashes.Inputs(input).Where(t => expected.TryGetValue(t.Name, out var hash) && hash != t.Hash).Select(t => t.Name).ToArray();
            if (different.Length > 0)
                problems.Add(PlanRules.InputDiffers.At(input.Checkpoint.Path, $"{different.Length} tensors are not those that the masks were made for: {Planner.Some(different)}.", "Name the model as it was merged."));
        }

        if (problems.Count > 0)
            throw new InvalidInputException(problems);
    }

    private PassContext Context(int part) => new(_programs[part].Plan, _blockMaps[part], _pool, _workers, _budget.Searches, _progress);

    private Journal OpenJournal()
    {
        var (journal, resumed) = Journal.Open(_folder.JournalPath, Journal.Fingerprint(_plan), _plan.Streams, _plan.MostSources);
        if (!resumed || !_outputs.Exist())
        {
            journal.Clear();
            _folder.Clear();
            _outputs.Create();
            _outputs.WriteHeaders();
            return journal;
        }

        _outputs.WriteHeaders();

        // Only what is on the disk as the journal says counts as finished.
        _progress.Phase = "checking what is finished";
        var lists = _workers.Select(_ => (Records: new BlockRecord[_plan.Streams], Sources: new UInt128[_plan.MostSources], Hash: new XxHash128())).ToArray();
        _pool.Run(0, journal.Count, (worker, i) =>
        {
            var (records, sources, hash) = lists[worker];
            if (!journal.TryRead(i, out var index, records, sources) || index < 0 || index >= _blocks.Count)
                return;
            var block = _blocks[index];
            var buffer = new Span<byte>(_workers[worker].Scratch, _workers[worker].ScratchBytes);
            var intact = true;
            for (var stream = 0; stream < records.Length && intact; stream++)
                intact = _outputs.HashOf(stream, block, hash, buffer) == records[stream].Hash;
            if (intact && _finished.TryAdd(block, records, resumed: true))
                _hashes.Add(block, records, sources.AsSpan(0, block.Tensor.CountSources));
        });
        return journal;
    }

    private void MergeAll(Journal journal)
    {
        if (_finished.All(0, _blocks.Count))
            return;
        for (var part = 0; part < _programs.Length; part++)
        {
            if (_programs[part].Scope == StatisticsScope.Model)
                Prepare(part, 0, _plan.Tensors.Count);
        }

        var allocated = GC.GetTotalAllocatedBytes();
        foreach (var wave in Waves())
        {
            if (GC.GetTotalAllocatedBytes() - allocated > _options.MaxMemory / GarbageShare)
            {
                GC.Collect(1);
                allocated = GC.GetTotalAllocatedBytes();
            }

            var (first, end) = (_blocks.FirstOf(wave.First), _blocks.FirstOf(wave.End));
            if (_finished.All(first, end))
                continue;
            for (var part = 0; part < _programs.Length; part++)
            {
                if (_programs[part].Scope != StatisticsScope.Model)
                    Prepare(part, wave.First, wave.End);
            }

            _progress.Phase = "merging";
            _pool.Run(first, end, (worker, index) =>
            {
                if (!_finished.Contains(index))
                    MergeBlock(worker, _blocks[index], journal);
            });
            for (var part = 0; part < _programs.Length; part++)
            {
                if (_programs[part].OnePass is { } onePass)
                    FinishHeld(onePass, Context(part), wave.First, wave.End, journal);
            }
        }
    }

    private void Prepare(int part, int first, int end)
    {
        _programs[part].OnePass?.Choose(Context(part), first, end, _held, t => !_finished.Any(_blocks.FirstOf(t.Index), _blocks.FirstOf(t.Index + 1)), FreeDisk);
        _programs[part].Prepare(Context(part), first, end);
    }

    /// <summary>What is free on the disk beside the output, whose files have their size but take no room before they are written.</summary>
    private long FreeDisk() => (DiskSpace.Free(_folder.Path) ?? 0) - _plan.BytesToWrite;

    /// <summary>
    /// Runs of tensors that are prepared and merged together: where tensors have statistics as few as keep the workers busy, so that the second pass
    /// over a tensor finds it in the page cache, else all of them.
    /// </summary>
    private IEnumerable<(int First, int End)> Waves()
    {
        var ofTensors = _programs.Any(p => p.Scope == StatisticsScope.Tensor);
        var first = 0;
        for (var i = 1; i <= _plan.Tensors.Count; i++)
        {
            var full = ofTensors && _blocks.FirstOf(i) - _blocks.FirstOf(first) >= BlocksOfWave(_pool.Count);
            if (!full && i < _plan.Tensors.Count)
                continue;
            yield return (first, i);
            first = i;
        }
    }

    private void MergeBlock(int index, Block block, Journal journal)
    {
        var worker = _workers[index];
        HeldBlock? held = null;
        if (_programs[block.Tensor.Part].OnePass is { } onePass && onePass.Holds(block.Tensor) && (held = onePass.Begin(index, block, _held)) is null)
            return;
        worker.BeginBlock(block);
        worker.Contested = _contested?.Begin();
        _programs[block.Tensor.Part].Assume(worker, _finished.Votes[block.Tensor.Part]);
        _merger.Merge(worker, block, held);

        var sources = worker.TakeSourceHashes(block.Tensor.CountSources);
        if (held is not null)
        {
            held.SourceHashes = sources.ToArray();
            _programs[block.Tensor.Part].OnePass!.Keep(index, worker, block, held, _held);
        }
        else
        {
            Finish(block, worker.TakeRecords(), sources, journal);
        }

        _contested?.Add(block.Index, worker.Contested);
    }

    /// <summary>Ends a block whose bytes are written.</summary>
    private void Finish(Block block, ReadOnlySpan<BlockRecord> records, ReadOnlySpan<UInt128> sources, Journal journal)
    {
        journal.Append(block.Index, records, sources);
        _finished.TryAdd(block, records, resumed: false);
        _hashes.Add(block, records, sources);
    }
}
