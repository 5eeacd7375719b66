using System.IO.Enumeration;
using System.Text.Json;

namespace Graft.Sources.Files;

/// <summary>Which files of a source are taken, and which of them is opened.</summary>
/// <param name="Names">Below the source's root.</param>
/// <param name="Entry">File or folder to open, below the source's root; empty for the root itself.</param>
internal sealed record Selection(IReadOnlyList<string> Names, string Entry);

/// <summary>
/// The files that a model needs: weights in formats that cannot carry code, and what describes them. Everything else stays where it is,
/// pickles above all.
/// </summary>
internal static class ModelFiles
{
    private const string Weights = "*.safetensors";
    private const string Gguf = "*.gguf";
    private const string WeightIndex = "model.safetensors.index.json";

    private static readonly string[] Wanted =
    [
        Weights, "*.json", "*.jinja", "additional_chat_templates/*.jinja",
        "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "*.tiktoken", "vocab.txt", "merges.txt",
    ];

    /// <summary>The same weights once more in another framework's naming, and lists of files that are not taken.</summary>
    private static readonly string[] NotWanted =
    [
        "consolidated*.safetensors", "consolidated*.json", "*.bin.index.json", "*.fp16.safetensors", "*.non_ema.safetensors",
        "trainer_state.json", "training_args.json",
    ];

    private static readonly string[] Pickles = ["*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle"];

    /// <param name="all">Every file of the source.</param>
    /// <param name="path">What the URI names in it.</param>
    /// <exception cref="SourceException">Nothing that could be opened; the message says what is there instead.</exception>
    public static Selection Select(IReadOnlyList<string> all, string path, FetchKind kind)
    {
        if (kind == FetchKind.SingleFile) return File(all, path);
        if (path.Length > 0 && all.Contains(path))
        {
            return Matches(path, Gguf)
                ? new([Cache.Names.Safe(path)], path)
                : throw Unusable($"'{path}' is one file; name a .gguf file, or the folder of a model");
        }
        var prefix = path.Length == 0 ? "" : path + "/";
        var here = all.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Select(n => n[prefix.Length..]).ToList();
        if (here.Count == 0) throw new SourceException(SourceFault.NotFound, path.Length == 0 ? "it has no files" : $"it has no '{path}'");
        var wanted = here.Where(n => Matches(n, Wanted) && !Matches(n, NotWanted)).ToList();
        if (!wanted.Exists(n => Matches(n, Weights))) return WithoutSafetensors(here, prefix);
        return new([.. wanted.Select(n => Cache.Names.Safe(prefix + n)).Order(StringComparer.Ordinal)], path);
    }

    /// <summary>Whether a name is one that a model is made of, wherever it lies.</summary>
    public static bool IsPartOfModel(string name)
    {
        var file = name[(name.LastIndexOf('/') + 1)..];
        return (Matches(file, Wanted) && !Matches(file, NotWanted)) || Matches(file, Gguf);
    }

    /// <summary>What a folder lacks to be a model, as far as its own files tell; null when nothing.</summary>
    public static string? Lack(string path)
    {
        if (Cache.Links.LeadToFile(path)) return null;
        if (!Directory.Exists(path)) return "the model";
        var index = Path.Combine(path, WeightIndex);
        if (Cache.Links.LeadToFile(index))
        {
            var lack = Shards(index).FirstOrDefault(s => !Cache.Names.IsSafe(s) || !Cache.Links.LeadToFile(Path.Combine(path, s)));
            if (lack is not null) return Cache.Names.Printable(lack);
        }
        else if (!Directory.EnumerateFiles(path, Weights).Any(Cache.Links.LeadToFile))
        {
            return "its weights (*.safetensors)";
        }
        return Cache.Links.LeadToFile(Path.Combine(path, "config.json")) ? null : "config.json";
    }

    private static Selection File(IReadOnlyList<string> all, string path)
    {
        if (path.Length == 0) return all.Count == 1 ? new([Cache.Names.Safe(all[0])], all[0]) : throw Unusable("name one file in it");
        if (all.Contains(path)) return new([Cache.Names.Safe(path)], path);
        throw all.Any(n => n.StartsWith(path + "/", StringComparison.Ordinal))
            ? Unusable($"'{path}' is a folder; name one file in it")
            : new SourceException(SourceFault.NotFound, $"it has no '{path}'");
    }

    private static Selection WithoutSafetensors(List<string> here, string prefix)
    {
        var gguf = here.Where(n => Matches(n, Gguf)).Order(StringComparer.Ordinal).ToList();
        if (gguf.Count == 1) return new([Cache.Names.Safe(prefix + gguf[0])], prefix + gguf[0]);
        if (gguf.Count > 1)
            throw Unusable(
                $"it has {gguf.Count} .gguf files; name one of them after the revision, as /{Cache.Names.Printable(prefix + gguf[0])}");
        throw Unusable(here.Exists(n => Matches(n, Pickles))
            ? "its weights are pickles, which can run code and are never opened; take a revision with .safetensors"
            : "it has no weights: neither .safetensors nor .gguf");
    }

    private static IEnumerable<string> Shards(string index)
    {
        try
        {
            using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(index));
            return [.. document.RootElement.GetProperty("weight_map").EnumerateObject().Select(p => p.Value.GetString() ?? "").Distinct()];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return [WeightIndex];
        }
    }

    private static bool Matches(string name, params string[] patterns) =>
        patterns.Any(
            p => p.Count(c => c == '/') == name.Count(c => c == '/') && FileSystemName.MatchesSimpleExpression(p, name, ignoreCase: false));

    private static SourceException Unusable(string message) => new(SourceFault.Unusable, message);
}
