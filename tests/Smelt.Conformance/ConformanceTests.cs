using Xunit.Abstractions;

namespace Smelt.Conformance;

/// <summary>Every case of other programs that has no reason to be skipped is merged and compared with what they wrote.</summary>
public class ConformanceTests(ITestOutputHelper log)
{
    private static readonly string[] Kinds = [GoldenCase.Originals, GoldenCase.Mergekit];

    /// <summary>The cases that are run, by kind and name.</summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var golden in Kinds.SelectMany(GoldenCase.All).Where(c => CaseLists.ReasonToSkip(c) is null))
                data.Add(golden.Kind, golden.Name);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees(string kind, string name)
    {
        using var scratch = new ScratchFolder();
        var comparison = MergeRun.Check(GoldenCase.Find(kind, name), scratch.Path);
        log.WriteLine(comparison.ToString());
        Assert.True(comparison.Agrees, comparison.ToString());
        Assert.True(comparison.Elements > 0, "the case compares nothing");
    }

    /// <summary>The cases with random masks, whose seed mergekit was given.</summary>
    public static TheoryData<string> Seeded
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var golden in GoldenCase.All(GoldenCase.Mergekit).Where(c => c.Json["masks"] is not null && c.Json["random_seed"] is not null && CaseLists.ReasonToSkip(c) is null))
                data.Add(golden.Name);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Seeded))]
    public void Mergekits_own_masks_follow_from_its_seed(string name)
    {
        using var scratch = new ScratchFolder();
        var comparison = MergeRun.Check(GoldenCase.Find(GoldenCase.Mergekit, name), scratch.Path, seeded: true);
        log.WriteLine(comparison.ToString());
        Assert.True(comparison.Agrees, comparison.ToString());
        Assert.True(comparison.Elements > 0, "the case compares nothing");
    }

    [Fact]
    public void SummaryCountsEveryCase()
    {
        var all = Kinds.SelectMany(GoldenCase.All).Select(c => (Case: c, Reason: CaseLists.ReasonToSkip(c))).ToArray();
        foreach (var kind in all.GroupBy(c => c.Case.Kind))
        {
            Report($"{kind.Key}: {kind.Count()} cases, {kind.Count(c => c.Reason is null)} run, {kind.Count(c => c.Reason is not null)} skipped");
            foreach (var run in kind.Where(c => c.Reason is null).GroupBy(c => $"{c.Case.Method} ({c.Case.Program})").OrderBy(g => g.Key, StringComparer.Ordinal))
                Report($"  run {run.Count(),4}  {run.Key}");
            foreach (var skipped in kind.Where(c => c.Reason is not null).GroupBy(c => c.Reason!).OrderByDescending(g => g.Count()))
                Report($"  skip {skipped.Count(),3}  {skipped.Key}");
        }

        foreach (var deviation in all.Where(c => c.Reason is null).SelectMany(c => CaseLists.DeviationsOf(c.Case), (c, d) => (c.Case, d.Reason)).GroupBy(d => d.Reason))
            Report($"deviation {deviation.Count()}  {deviation.Key}");

        Assert.Equal(Kinds, all.Where(c => c.Reason is null).Select(c => c.Case.Kind).Distinct());
    }

    /// <summary>To the test's own output, and to that of the test run.</summary>
    private void Report(string line)
    {
        log.WriteLine(line);
        Console.WriteLine(line);
    }
}
