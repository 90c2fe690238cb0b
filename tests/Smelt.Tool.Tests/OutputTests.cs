using Smelt.Tool.Output;
using Smelt.Tool.Sources;

namespace Smelt.Tool.Tests;

/// <summary>The pure parts of what the tool prints.</summary>
public class OutputTests
{
    [Theory]
    [InlineData(0, 0, 0, "merging")]
    [InlineData(430, 1000, 0, "merging  43 %")]
    [InlineData(0, 1_000_000_000, 250_000_000, "merging  0 %  250 MB/s  0:04 left")]
    [InlineData(999_000_000, 1_000_000_000, 1.25e9, "merging  99 %  1.25 GB/s  0:01 left")]
    [InlineData(1200, 1000, 1e9, "merging  100 %  1.00 GB/s  0:00 left")]
    public void A_line_of_progress_says_what_is_known(long done, long total, double rate, string expected) =>
        Assert.Equal(expected, ProgressText.Line("merging", done, total, rate));

    [Theory]
    [InlineData("one\ntwo", "one two")]
    [InlineData("\u001b[2J\u001b]0;title\u0007name\0\u009b", "\\u001B[2J\\u001B]0;title\\u0007name\\u0000\\u009B")]
    [InlineData("ä 模型 🙂", "ä 模型 🙂")]
    public void Text_out_of_model_files_commands_no_terminal(string text, string shown) => Assert.Equal(shown, OneLine.Of(text));

    [Fact]
    public void A_place_for_problems_that_takes_none_stops_nothing()
    {
        var full = new StreamWriter(new FullStream(), bufferSize: 1);
        var quiet = new QuietWriter(full);
        quiet.Write('x');
        quiet.Write("x");
        quiet.WriteLine("x");
        quiet.Flush();
    }

    [Fact]
    public void An_endless_wait_is_still_a_line() =>
        Assert.EndsWith(" left", ProgressText.Line("merging", 0, long.MaxValue, 1e-9));

    [Theory]
    [InlineData(1_254_000_000, "1.25 GB/s")]
    [InlineData(310_400_000, "310 MB/s")]
    [InlineData(1_540_000, "1.5 MB/s")]
    public void Rates_are_in_decimal_units(double rate, string expected) => Assert.Equal(expected, ProgressText.Rate(rate));

    [Theory]
    [InlineData(6.2, "0:07")]
    [InlineData(750, "12:30")]
    [InlineData(11_100, "3:05:00")]
    public void Times_ahead_are_whole_seconds_rounded_up(double seconds, string expected) =>
        Assert.Equal(expected, ProgressText.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0.419, "0.42 s")]
    [InlineData(37.14, "37.1 s")]
    [InlineData(750, "12:30")]
    public void Times_past_have_the_digits_that_count(double seconds, string expected) =>
        Assert.Equal(expected, ProgressText.Elapsed(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void The_rate_is_that_of_the_last_seconds()
    {
        var meter = new RateMeter();
        Assert.Equal(0, meter.Add(TimeSpan.Zero, 0));
        Assert.Equal(100, meter.Add(TimeSpan.FromSeconds(1), 100));
        for (var second = 2; second <= 20; second++)
            meter.Add(TimeSpan.FromSeconds(second), 100 + (1000 * (second - 1)));
        Assert.Equal(1000, meter.Add(TimeSpan.FromSeconds(21), 20_100), 6);
    }

    [Fact]
    public void One_recipe_takes_the_output_folder_itself() =>
        Assert.Equal([Path.GetFullPath("merged")], OutputFolders.Of(["ties"], "merged"));

    [Fact]
    public void Several_recipes_get_a_folder_each() =>
        Assert.Equal([Path.GetFullPath("merged/a"), Path.GetFullPath("merged/b")], OutputFolders.Of(["a", "b"], "merged"));

    [Fact]
    public void Without_a_folder_outputs_go_to_out() =>
        Assert.Equal([Path.GetFullPath("out/ties")], OutputFolders.Of(["ties"], null));

    [Theory]
    [InlineData("tis", "ties")]
    [InlineData("TIES", "ties")]
    [InlineData("dare-tie", "dare-ties")]
    [InlineData("unlike", null)]
    public void The_nearest_name_is_suggested(string text, string? expected) =>
        Assert.Equal(expected, Recipes.Configuration.EditDistance.Nearest(text, ["average", "ties", "dare-ties"]));

    [Fact]
    public void Problems_are_coloured_only_on_a_terminal()
    {
        foreach (var colours in new[] { false, true })
        {
            var plain = new Captured();
            var captured = new Captured { Terminal = plain.Terminal with { ErrorColours = colours } };
            captured.Run("list", "no-such-file.json");
            Assert.Equal(colours, plain.Error.Contains('\u001b', StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Headers_are_bold_only_on_a_terminal()
    {
        foreach (var colours in new[] { false, true })
        {
            var captured = new Captured();
            TextTable.Write(captured.Terminal with { OutColours = colours }, ["name ", "size"], [["a", "10"], ["long name", "5"]]);
            Assert.Equal(colours, captured.Out.Contains('\u001b', StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Long_cells_are_never_broken()
    {
        var captured = new Captured();
        var path = "/" + new string('x', 500);
        TextTable.Write(captured.Terminal, ["name ", "path "], [["a", path]]);
        Assert.Equal($"name path\na    {path}\n", captured.Out.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Bare_columns_are_aligned_without_trailing_blanks()
    {
        var captured = new Captured();
        TextTable.Write(captured.Terminal, ["size", "name "], [["10", "a"], ["5", "long name"]]);
        Assert.Equal("size name\n  10 a\n   5 long name\n", captured.Out.ReplaceLineEndings("\n"));
    }

    /// <summary>A disk without room.</summary>
    private sealed class FullStream : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("No space left on device");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device");

        public override void Flush() => throw new IOException("No space left on device");
    }
}
