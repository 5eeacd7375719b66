using System.Buffers;
using System.Text;
using Graft.Contract;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

/// <summary>Opens data files and reads every row, or says which line is broken and why.</summary>
internal static class SampleReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>All rows of <paramref name="source"/> in the order of the file.</summary>
    /// <param name="labeled">They are texts with labels, to be classified.</param>
    /// <exception cref="RunFailedException">Class <see cref="FailureClass.DataError"/>.</exception>
    public static IReadOnlyList<Sample> Read(DataSource source, bool labeled = false)
    {
        var path = ContractPaths.Resolve(source.Path);
        try
        {
            if (!File.Exists(path))
                throw RunFailedException.Dataset(Directory.Exists(path)
                    ? $"{source.Source} is a folder; name one file in it"
                    : $"{source.Source}: no such file");
            if (new FileInfo(path).Length == 0) throw RunFailedException.Dataset($"{source.Source} is empty; it needs at least one row");
            var rows = Read(source, path, labeled);
            if (rows.Count == 0) throw RunFailedException.Dataset($"{source.Source} has no rows; it needs at least one");
            return rows;
        }
        catch (DecoderFallbackException)
        {
            throw RunFailedException.Dataset($"{source.Source} line {FirstBadLine(path)}: not UTF-8; save the file as UTF-8");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RunFailedException.Dataset($"{source.Source} cannot be read: {e.Message}", e);
        }
    }

    private static List<Sample> Read(DataSource source, string path, bool labeled)
    {
        using var reader = new StreamReader(path, StrictUtf8);
        return Format(source) switch
        {
            DataFormat.JsonLines => JsonLinesReader.Read(reader, source, labeled),
            DataFormat.Csv => CsvSamples.Read(reader, source, labeled),
            _ when labeled => throw RunFailedException.Dataset($"{source.Source}: a text file has no labels; use .jsonl or .csv"),
            _ => Text(reader, source),
        };
    }

    private static DataFormat Format(DataSource source) => source.Format != DataFormat.Auto
        ? source.Format
        : Path.GetExtension(source.Path).ToLowerInvariant() switch
        {
            ".jsonl" or ".ndjson" => DataFormat.JsonLines,
            ".csv" => DataFormat.Csv,
            ".txt" => DataFormat.Text,
            var other => throw RunFailedException.Dataset(
                $"{source.Source}: cannot tell the format from the ending \"{other}\"; end it in .jsonl, .csv or .txt, or set format"),
        };

    private static List<Sample> Text(StreamReader reader, DataSource source)
    {
        if (source.Columns is not null) throw RunFailedException.Dataset($"{source.Source}: a text file has no columns; leave columns out");
        var text = reader.ReadToEnd();
        return string.IsNullOrWhiteSpace(text) ? [] : [new TextSample(new Origin(source.Source, 1), text, Continuous: true)];
    }

    /// <summary>Lines end as <see cref="TextReader.ReadLine"/> ends them: with \n, \r\n or \r.</summary>
    private static int FirstBadLine(string path)
    {
        using var stream = File.OpenRead(path);
        var buffer = new byte[1 << 16];
        int line = 1, kept = 0;
        for (var afterReturn = false; ;)
        {
            var read = stream.Read(buffer, kept, buffer.Length - kept);
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, kept + read);
            while (!rest.IsEmpty)
            {
                var status = Rune.DecodeFromUtf8(rest, out var rune, out var used);
                if (status == OperationStatus.NeedMoreData && read > 0) break;
                if (status != OperationStatus.Done) return line;
                if (rune.Value == '\r' || (rune.Value == '\n' && !afterReturn)) line++;
                afterReturn = rune.Value == '\r';
                rest = rest[used..];
            }
            if (read == 0) return line;
            kept = rest.Length;
            rest.CopyTo(buffer);
        }
    }
}
