using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Graft.Contract;
using Graft.Modeling;
using Graft.Modeling.Tests.Fuzz;
using Graft.Trainer.Data;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Data;

/// <summary>
/// Good rows in which bytes were changed, taken out, put in or repeated: they are read, or the line that is broken is named.
/// </summary>
[Collection(TorchCollection.Name)]
public sealed partial class BrokenRowsTests : IDisposable
{
    private static readonly string[] Lines =
    [
        """{"prompt": "Where is \u00e9 it?", "completion": "{\"team\": \"delivery\"}", "n": [1, 2.5e3, null, true]}""",
        """{"prompt": "漢字 😀 \ud83d\ude00\n", "completion": "no \\ yes"}""",
        """{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}""",
        """{"text": "plain \u0000 text"}""",
        """{"prompt": "p", "completion": 7}""",
    ];

    private const string Table = "prompt,completion\r\n\"a \"\"b\"\", é\",x\r\nc,\"two\nlines\"\r\n\r\nd,漢\r\n";

    // What breaks readers: structure, escapes, ends of lines, byte order marks, bytes that begin or continue a character.
    private static readonly byte[][] Pieces =
    [
        .. "\"\\{}[],:\n\r\0"u8.ToArray().Select(b => new[] { b }), [0x0d, 0x0a],
        [0xff], [0xc3], [0xa9], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf], [0xff, 0xfe], [0xe2, 0x80, 0xa8],
        .. new[] { "\\ud83d", "\\ude00", "\\u12", "\"prompt\":\"x\",", "[[[[[[[[", "1e999", "-", "null" }.Select(Encoding.UTF8.GetBytes),
    ];

    private readonly TempFolder folder = new();
    private readonly BaseModel model = BaseModel.Load(Repository.Sample("quickstart", "model"), new LoadOptions(CPU, ScalarType.Float32));

    public void Dispose()
    {
        model.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void Ten_thousand_broken_json_lines_are_read_or_their_line_is_named()
    {
        var random = new Random(1);
        var (read, broken) = (0, 0);
        new FuzzBudget("JSONL").Run(FuzzBudget.Inputs, _ =>
        {
            var rows = string.Join("\n", Enumerable.Range(0, 3).Select(_ => Lines[random.Next(Lines.Length)])) + "\n";
            var bytes = Mutated(Encoding.UTF8.GetBytes(rows), random);
            if (Error("rows.jsonl", bytes) is not { } error)
            {
                read++;
                return;
            }
            broken++;
            if (Line(error, bytes) is not { } line || NotText(error) || broken % 4 != 0) return;
            // The line that is named is broken by itself, and what is before it is not. (After an empty line, because a byte order mark
            // is one only at the beginning of a file.)
            Assert.True(Error("alone.jsonl", [(byte)'\n', .. line.Itself]) is not null, $"{error}\n{Convert.ToBase64String(bytes)}");
            var before = line.Before.Length == 0 ? null : Error("before.jsonl", line.Before);
            Assert.True(before is null || before.Contains("has no rows", StringComparison.Ordinal) || NotText(before),
                $"{error}\n{before}\n{Convert.ToBase64String(bytes)}");
        });
        // The mutations must reach both outcomes often, else this shows nothing.
        Assert.True(read > 500 && broken > 5000, $"{read} read, {broken} broken");
    }

    [Fact]
    public void A_thousand_broken_tables_are_read_or_their_line_is_named()
    {
        var random = new Random(2);
        var (read, broken) = (0, 0);
        new FuzzBudget("CSV").Run(1000, _ =>
        {
            var bytes = Mutated(Encoding.UTF8.GetBytes(Table), random);
            if (Error("rows.csv", bytes) is { } error)
            {
                broken++;
                Line(error, bytes);
            }
            else
            {
                read++;
            }
        });
        Assert.True(read > 100 && broken > 100, $"{read} read, {broken} broken");
    }

    /// <summary>
    /// Null when the file is read and becomes tokens; else why not. Nothing but a <see cref="RunFailedException"/> may come.
    /// </summary>
    private string? Error(string name, byte[] bytes)
    {
        var path = folder[name];
        File.WriteAllBytes(path, bytes);
        try
        {
            var rows = SampleReader.Read(new DataSource(name, path));
            var encoder = new ExampleEncoder(
                model.Tokenizer, model.ChatTemplate, LearnFrom.All, maxLength: 256, model.Config.VocabularySize);
            foreach (var row in rows)
            {
                foreach (var example in encoder.Encode(row)) Assert.Equal(example.Ids.Length, example.Supervised.Length);
                encoder.Ask(row);
            }
            return null;
        }
        catch (RunFailedException e)
        {
            Assert.Equal(FailureClass.DataError, e.Class);
            return e.Message;
        }
    }

    private static bool NotText(string error) => error.Contains("not UTF-8", StringComparison.Ordinal);

    /// <summary>The line that an error names, and what is before it; null when the error is about the whole file.</summary>
    private static (byte[] Before, byte[] Itself)? Line(string error, byte[] bytes)
    {
        if (error.Contains("has no rows", StringComparison.Ordinal) || error.Contains(" is empty", StringComparison.Ordinal)) return null;
        var match = Named().Match(error);
        Assert.True(match.Success, $"no line in: {error}");
        var number = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        var start = 0;
        for (var line = 1; line < number; line++)
        {
            start = EndOfLine(bytes, start);
            Assert.True(start < bytes.Length || line + 1 == number, $"{error}: the file has fewer lines");
        }
        return (bytes[..start], bytes[start..EndOfLine(bytes, start)]);
    }

    /// <summary>After the line's end: \n, \r\n or \r, as text readers take them.</summary>
    private static int EndOfLine(byte[] bytes, int start)
    {
        var end = Array.FindIndex(bytes, start, b => b is (byte)'\n' or (byte)'\r');
        if (end < 0) return bytes.Length;
        return bytes[end] == '\r' && end + 1 < bytes.Length && bytes[end + 1] == '\n' ? end + 2 : end + 1;
    }

    private static byte[] Mutated(byte[] bytes, Random random)
    {
        var changed = bytes.ToList();
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(changed.Count);
            switch (random.Next(5))
            {
                case 0:
                    changed[at] = (byte)random.Next(256);
                    break;
                case 1:
                    changed.RemoveRange(at, Math.Min(random.Next(1, 8), changed.Count - at));
                    break;
                case 2:
                    changed.InsertRange(at, changed.GetRange(at, Math.Min(random.Next(1, 30), changed.Count - at)));
                    break;
                case 3:
                    changed.InsertRange(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                default:
                    changed[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
            if (changed.Count == 0) break;
        }
        return [.. changed];
    }

    [GeneratedRegex(@"^\w+\.\w+ line (\d+): ")]
    private static partial Regex Named();
}
