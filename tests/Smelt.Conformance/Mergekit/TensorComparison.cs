using System.Text.Json.Nodes;

namespace Smelt.Conformance.Mergekit;

/// <summary>The comparison of all tensors of a case.</summary>
internal sealed class TensorComparison(GoldenCase golden, List<string> errors)
{
    private readonly string _mode = golden.Text("compare");
    private readonly JsonObject _tolerance = golden.Json["tolerance"]?.AsObject() ?? [];
    private readonly string[] _excluded = [.. (golden.Json["exclude"]?.AsArray() ?? []).Select(e => e!.GetValue<string>())];
    private long _outside;
    private double _squares;
    private double _change;

    /// <summary>The number of elements compared.</summary>
    public long Elements { get; private set; }

    /// <summary>The largest difference, in parts of what is allowed.</summary>
    public double Worst { get; private set; }

    /// <summary>Compares a result, and adds what is wrong to the errors.</summary>
    public void Run(IReadOnlyDictionary<string, StoredTensor> result)
    {
        var expected = SafetensorsFile.ReadAll(Path.Combine(golden.Folder, "expected"));
        var ambiguous = golden.OwnFile("ambiguous.safetensors") is { } file ? SafetensorsFile.Read(file) : [];
        var model = golden.Json["base"]?.GetValue<string>() is { } path && Path.Exists(golden.Resolve(path)) ? SafetensorsFile.ReadAll(golden.Resolve(path)) : [];

        foreach (var missing in expected.Keys.Except(result.Keys).Order(StringComparer.Ordinal))
            errors.Add($"{missing}: missing");
        foreach (var extra in result.Keys.Except(expected.Keys).Order(StringComparer.Ordinal))
            errors.Add($"{extra}: not expected");
        foreach (var name in expected.Keys.Intersect(result.Keys).Order(StringComparer.Ordinal))
            CompareTensor(name, expected[name], result[name], ambiguous.GetValueOrDefault(name), model.GetValueOrDefault(name));

        if (_mode == "threshold-mask" && _outside > Number(_tolerance, "max_fraction") * Elements)
            errors.Add($"{_outside} of {Elements} elements differ, allowed fraction {Number(_tolerance, "max_fraction")}");
        if (_mode == "loose")
        {
            var ratio = Math.Sqrt(_squares / Math.Max(_change, 1e-300));
            Worst = ratio / Number(_tolerance, "rel_rms");
            if (!(ratio <= Number(_tolerance, "rel_rms")))
                errors.Add($"root mean square difference is {ratio:0.###} of the root mean square change, allowed {Number(_tolerance, "rel_rms")}");
        }
    }

    private void CompareTensor(string name, StoredTensor want, StoredTensor got, StoredTensor? ambiguous, StoredTensor? model)
    {
        if (!want.Shape.SequenceEqual(got.Shape))
        {
            errors.Add($"{name}: shape [{string.Join(", ", got.Shape)}] instead of [{string.Join(", ", want.Shape)}]");
            return;
        }

        var dtypeFree = _mode == "loose" && _tolerance["dtype_free"]?.GetValue<bool>() == true;
        if (want.Dtype != got.Dtype && !dtypeFree)
        {
            errors.Add($"{name}: dtype {got.Dtype} instead of {want.Dtype}");
            return;
        }

        if (_excluded.Any(e => name.Contains(e, StringComparison.Ordinal)))
            return;
        Elements += want.Count;
        switch (_mode)
        {
            case "exact" or "exact-except":
                var different = Enumerable.Range(0, want.Count).Count(i => !Same(got, want, i));
                if (different > 0)
                    errors.Add($"{name}: {different} of {want.Count} elements differ");
                break;
            case "loose":
                AddChange(want, got, model);
                break;
            case "ulp" or "set-at-threshold" or "masks" or "threshold-mask":
                CompareElements(name, want, got, ambiguous);
                break;
            default:
                throw new NotSupportedException($"{golden}: the comparison '{_mode}' is not implemented");
        }
    }

    private void CompareElements(string name, StoredTensor want, StoredTensor got, StoredTensor? ambiguous)
    {
        var own = golden.Json["tensor_tolerance"]?[name]?.AsObject();
        var relative = Number(own?.ContainsKey("rel") == true ? own : _tolerance, "rel");
        var ulps = Number(own?.ContainsKey("ulp") == true ? own : _tolerance, "ulp");
        var rms = Math.Sqrt(Enumerable.Range(0, want.Count).Sum(i => want[i] * want[i]) / Math.Max(want.Count, 1));
        var (outside, first) = (0, -1);
        for (var i = 0; i < want.Count; i++)
        {
            if (ambiguous is not null && ambiguous.Integer(i) != 0)
                continue;
            var agrees = Same(got, want, i);
            if (want.IsFloat && !agrees)
            {
                var allowed = Math.Max(ulps * Spacing(want[i], want.Dtype), relative * Math.Max(Math.Abs(want[i]), rms));
                var difference = Math.Abs(got[i] - want[i]);
                agrees = difference <= allowed;
                Worst = Math.Max(Worst, double.IsNaN(difference) ? double.PositiveInfinity : difference / Math.Max(allowed, 1e-300));
            }

            if (agrees)
                continue;
            outside++;
            first = first < 0 ? i : first;
        }

        _outside += outside;
        if (outside > 0 && _mode != "threshold-mask")
            errors.Add($"{name}: {outside} of {want.Count} elements outside; first at flat index {first}: {got[first]:R} instead of {want[first]:R}");
    }

    private void AddChange(StoredTensor want, StoredTensor got, StoredTensor? model)
    {
        if (model is not null && !model.Shape.SequenceEqual(want.Shape))
            model = null;
        for (var i = 0; i < want.Count; i++)
        {
            var (difference, change) = (want[i] - got[i], want[i] - (model?[i] ?? 0));
            _squares += difference * difference;
            _change += change * change;
        }
    }

    private static bool Same(StoredTensor got, StoredTensor want, int i) =>
        want.IsFloat ? got[i] == want[i] || (double.IsNaN(got[i]) && double.IsNaN(want[i])) : got.Integer(i) == want.Integer(i);

    /// <summary>The distance to the next number of a format, at the magnitude of a value.</summary>
    private static double Spacing(double value, string dtype)
    {
        var (bits, smallest) = dtype switch
        {
            "F64" => (52, -1022),
            "F32" => (23, -126),
            "F16" => (10, -14),
            _ => (7, -126),
        };
        var exponent = value == 0 ? smallest : Math.Max(Math.ILogB(value), smallest);
        return Math.ScaleB(1, exponent - bits);
    }

    private static double Number(JsonObject limits, string key) => limits[key]!.GetValue<double>();
}
