using System.CommandLine;
using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Cli;
using Graft.Trainer.Tokenizers;

namespace Graft.Trainer.Bench;

/// <summary>Speed of encoding on one thread, and how it compares to Hugging Face's tokenizers in the same run.</summary>
internal static class TokenizeBench
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var tokenizer = new Option<string?>("--tokenizer")
        {
            Description = "A tokenizer.json, or one packed with gzip; default: a byte-level BPE trained on the text.",
        };
        var text = new Option<string?>("--text") { Description = "A file to encode; default: made-up English." };
        var megabytes = new Option<int>("--megabytes") { Description = "Length of the default text.", DefaultValueFactory = _ => 8 }.AtLeast(1);
        var rounds = new Option<int>("--rounds") { Description = "Runs; the fastest counts.", DefaultValueFactory = _ => 3 }.AtLeast(1);
        var command = new Command("tokenize", """
            Encodes documents of about 4,000 characters one after another on one thread. "ratio" is how many times faster Graft was than the
            npm package @anush008/tokenizers (which `make components` fetches) on the same documents in the same run, on one thread as well;
            "cold" is the first run, with nothing in the cache.

              graft-trainer bench tokenize --tokenizer model/tokenizer.json --text corpus.txt
            """) { json, tokenizer, text, megabytes, rounds };
        command.SetAction(parsed => CommandLine.Guarded(() =>
        {
            var folder = Directory.CreateTempSubdirectory("graft-bench-");
            try
            {
                var content = parsed.GetValue(text) is { } file ? File.ReadAllText(file)
                    : EnglishText.Make(parsed.GetValue(megabytes) << 20, seed: 1);
                Figure.Print(Measure(parsed.GetValue(tokenizer), content, parsed.GetValue(rounds), folder.FullName), parsed.GetValue(json),
                    Console.Out);
                return ExitCodes.Success;
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }));
        return command;
    }

    private static List<Figure> Measure(string? given, string text, int rounds, string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        if (given is null)
        {
            Console.Error.WriteLine("training a tokenizer");
            TokenizerFile.Write(path, BytePairTrainer.Train([text[..Math.Min(text.Length, 1 << 18)]], 4096), ["<|endoftext|>"]);
        }
        else
        {
            Unpack(given, path);
        }
        var tokenizer = TokenizerLoader.Load(path);
        var documents = text.Chunk(4000).Select(c => new string(c)).ToList();
        var (tokens, cold) = Run(tokenizer, documents);
        var best = Enumerable.Range(0, rounds).Min(_ => Run(tokenizer, documents).Seconds);
        var figures = new List<Figure>
        {
            new("tokenize.characters", text.Length / best, "characters/s"), new("tokenize.tokens", tokens / best, "tokens/s"),
            new("tokenize.cold.characters", text.Length / cold, "characters/s"),
        };
        if (NodeTokenizers.Find() is not { } package)
        {
            Console.Error.WriteLine("not compared: @anush008/tokenizers is not in artifacts/components; make components fetches it");
            return figures;
        }
        var list = Path.Combine(folder, "documents.json");
        File.WriteAllText(list, JsonSerializer.Serialize(documents, BenchJson.Default.ListString));
        var (theirs, seconds) = NodeTokenizers.Measure(package, path, list, rounds);
        if (theirs != tokens) Console.Error.WriteLine($"the tokens differ: {tokens} here, {theirs} there");
        figures.Add(new Figure("tokenize.node.characters", text.Length / seconds, "characters/s"));
        figures.Add(new Figure("tokenize.node.tokens", theirs / seconds, "tokens/s"));
        figures.Add(new Figure("tokenize.ratio", seconds / best, "times"));
        return figures;
    }

    private static (long Tokens, double Seconds) Run(ITokenizer tokenizer, List<string> documents)
    {
        var watch = Stopwatch.StartNew();
        var tokens = documents.Sum(d => (long)tokenizer.Encode(d).Count);
        return (tokens, watch.Elapsed.TotalSeconds);
    }

    private static void Unpack(string given, string path)
    {
        using var source = File.OpenRead(given);
        using var target = File.Create(path);
        if (!given.EndsWith(".gz", StringComparison.Ordinal))
        {
            source.CopyTo(target);
            return;
        }
        using var packed = new GZipStream(source, CompressionMode.Decompress);
        packed.CopyTo(target);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(List<string>))]
internal sealed partial class BenchJson : System.Text.Json.Serialization.JsonSerializerContext;
