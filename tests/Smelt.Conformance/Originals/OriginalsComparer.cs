using System.Text.Json.Nodes;

namespace Smelt.Conformance.Originals;

/// <summary>
/// Compares with a case of an original repository: |ours - golden| &lt;= max(abs, rel * max(|base|, |golden|), ulp * ulp32(golden));
/// integer tensors are equal but for <c>mask_mismatch</c> elements of the case.
/// </summary>
internal static class OriginalsComparer
{
    /// <summary>Compares the tensors of a result with those expected; others in the result don't matter.</summary>
    public static Comparison Compare(GoldenCase golden, IReadOnlyDictionary<string, StoredTensor> result)
    {
        var expected = SafetensorsFile.Read(Path.Combine(golden.Folder, golden.Text("expected")));
        var model = SafetensorsFile.ReadAll(golden.Resolve(golden.Json["inputs"]!["base"]!.GetValue<string>()));
        var limits = golden.Json["compare"]!.AsObject();
        var errors = new List<string>();
        var elements = 0L;
        var worst = 0.0;
        var mismatches = 0;
        foreach (var (name, want) in expected)
        {
            if (!result.TryGetValue(name, out var got) || !got.Shape.SequenceEqual(want.Shape))
            {
                errors.Add($"{name}: {(got is null ? "missing" : $"shape [{string.Join(", ", got.Shape)}] instead of [{string.Join(", ", want.Shape)}]")}");
                continue;
            }

            elements += want.Count;
            if (!want.IsFloat)
            {
                mismatches += Enumerable.Range(0, want.Count).Count(i => got.Integer(i) != want.Integer(i));
                continue;
            }

            var origin = model.GetValueOrDefault(name[(name.IndexOf('/') + 1)..]);
            if (origin is not null && !origin.Shape.SequenceEqual(want.Shape))
                origin = null;
            worst = Math.Max(worst, CompareTensor(name, want, got, origin, limits, errors));
        }

        if (mismatches > Number(limits, "mask_mismatch"))
            errors.Add($"{mismatches} integer elements differ, allowed {Number(limits, "mask_mismatch")}");
        return new Comparison(errors, elements, worst);
    }

    private static double CompareTensor(string name, StoredTensor want, StoredTensor got, StoredTensor? origin, JsonObject limits, List<string> errors)
    {
        var (absolute, relative, ulps) = (Number(limits, "abs"), Number(limits, "rel"), Number(limits, "ulp"));
        var (outside, first, worst) = (0, -1, 0.0);
        for (var i = 0; i < want.Count; i++)
        {
            var reference = Math.Max(Math.Abs(want[i]), origin is null ? 0 : Math.Abs(origin[i]));
            var magnitude = (float)Math.Abs(want[i]);
            var spacing = (double)MathF.BitIncrement(magnitude) - magnitude;
            var allowed = Math.Max(Math.Max(absolute, relative * reference), ulps * spacing);
            var difference = Math.Abs(got[i] - want[i]);
            if (double.IsNaN(difference))
                difference = double.PositiveInfinity;
            worst = Math.Max(worst, difference / allowed);
            if (difference <= allowed)
                continue;
            outside++;
            first = first < 0 ? i : first;
        }

        if (outside > 0)
            errors.Add($"{name}: {outside} of {want.Count} elements outside; first at flat index {first}: {got[first]:R} instead of {want[first]:R}");
        return worst;
    }

    private static double Number(JsonObject limits, string key) => limits[key]!.GetValue<double>();
}
