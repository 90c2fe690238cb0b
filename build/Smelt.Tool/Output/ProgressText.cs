using System.Globalization;

namespace Smelt.Tool.Output;

/// <summary>How progress reads.</summary>
internal static class ProgressText
{
    /// <summary>One line: <c>merging  43 %  1.25 GB/s  0:12 left</c>.</summary>
    /// <param name="phase">What is going on.</param>
    /// <param name="done">Bytes done.</param>
    /// <param name="total">Bytes altogether; 0 while that is not known.</param>
    /// <param name="bytesPerSecond">The rate of the last seconds; 0 while that is not known.</param>
    public static string Line(string phase, long done, long total, double bytesPerSecond)
    {
        if (total <= 0)
            return phase;
        var percent = Math.Clamp((int)(100.0 * done / total), 0, 100);
        var line = $"{phase}  {percent} %";
        if (bytesPerSecond <= 0)
            return line;
        var left = TimeSpan.FromSeconds(Math.Min(Math.Max(0, total - done) / bytesPerSecond, TimeSpan.MaxValue.TotalSeconds / 2));
        return $"{line}  {Rate(bytesPerSecond)}  {Duration(left)} left";
    }

    /// <summary>A rate: <c>1.25 GB/s</c>, <c>310 MB/s</c>.</summary>
    public static string Rate(double bytesPerSecond) =>
        bytesPerSecond >= 1e9
            ? (bytesPerSecond / 1e9).ToString("0.00", CultureInfo.InvariantCulture) + " GB/s"
            : (bytesPerSecond / 1e6).ToString(bytesPerSecond >= 1e7 ? "0" : "0.0", CultureInfo.InvariantCulture) + " MB/s";

    /// <summary>A time ahead, in whole seconds rounded up: <c>0:07</c>, <c>12:30</c>, <c>3:05:00</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        var seconds = (long)Math.Ceiling(time.TotalSeconds);
        var (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        return hours > 0 ? $"{hours}:{minutes:00}:{seconds % 60:00}" : $"{minutes}:{seconds % 60:00}";
    }

    /// <summary>A time past: <c>0.42 s</c>, <c>37.1 s</c>, <c>12:30</c>.</summary>
    public static string Elapsed(TimeSpan time) => time.TotalSeconds switch
    {
        < 10 => time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture) + " s",
        < 60 => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        _ => Duration(time),
    };
}
