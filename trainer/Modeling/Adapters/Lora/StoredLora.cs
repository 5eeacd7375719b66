using System.Text.Json;
using System.Text.RegularExpressions;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>The two low-rank matrices of one module, as a file has them: they count <paramref name="Scale"/> B A.</summary>
/// <param name="Module">Hugging Face's name: <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="IsEmbedding">Of a table of embeddings: A is (r, vocabulary), B is (hidden, r).</param>
/// <param name="A">(r, in).</param>
/// <param name="B">(out, r).</param>
internal sealed record StoredPair(string Module, bool IsEmbedding, TensorInfo A, TensorInfo B, double Scale)
{
    public int Rank => (int)A.Shape[0];
}

/// <summary>
/// A folder of PEFT's with a LoRA that is low-rank matrices and nothing else, without its base model. What it brings besides, such as
/// magnitudes (DoRA), biases or modules of its own, is refused by name.
/// </summary>
internal sealed class StoredLora : IDisposable
{
    private const string Prefix = "base_model.model.", BaseTable = ".base_layer.weight";

    // The same pair by two spellings: of a linear layer, and of a table of embeddings.
    private static readonly (string A, string B, bool IsEmbedding)[] Spellings =
        [(".lora_A.weight", ".lora_B.weight", false), (".lora_embedding_A", ".lora_embedding_B", true)];

    private static readonly string[] Flags = ["use_dora", "use_qalora", "use_bdlora", "lora_bias"];

    private static readonly string[] Parts =
    [
        "modules_to_save", "trainable_token_indices", "target_parameters", "layer_replication", "alora_invocation_tokens", "arrow_config",
        "kasa_config", "monteclora_config",
    ];

    private StoredLora(AdapterFolder folder, IReadOnlyList<StoredPair> pairs) => (Folder, Pairs) = (folder, pairs);

    /// <param name="purpose">What cannot be done with the rest: <c>be combined</c>.</param>
    /// <exception cref="ModelFormatException">It is no LoRA, or more than that; everything is named at once.</exception>
    public static StoredLora Open(string path, string purpose)
    {
        var folder = AdapterFolder.Open(path);
        try
        {
            if (folder.Type != "LORA")
                throw new ModelFormatException(folder.ConfigPath, $"peft_type is '{folder.Type}'; only LoRAs can {purpose}");
            var fields = folder.Config;
            foreach (var name in Flags)
                if (fields.Flag(name) == true)
                    fields.Wrong($"{name} is true, and such a LoRA cannot {purpose}; merge it into its base instead");
            if (fields.Text("bias") is { } bias and not "none")
                fields.Wrong($"bias is '{bias}', and biases cannot {purpose}; merge it into its base instead");
            foreach (var name in Parts)
                if (fields.Says(name) && fields.Find(name) is { } value)
                    fields.Wrong($"{name} is {value.GetRawText()}, which cannot {purpose}; merge it into its base instead");
            var scale = Scales(fields);
            var rank = Patterns(fields, "rank_pattern") is var ranks && fields.Integer("r") is { } r
                ? (Func<string, double?>)(module => ModulePattern.First(ranks, module) ?? r) : _ => null;
            fields.ThrowIfWrong();
            return new StoredLora(folder, FindPairs(folder.Weights, rank, scale));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public AdapterFolder Folder { get; }

    /// <summary>By the names of their modules.</summary>
    public IReadOnlyList<StoredPair> Pairs { get; }

    /// <summary>The names of a module's two tensors in a file.</summary>
    public static (string A, string B) KeysOf(string module, bool isEmbedding)
    {
        var (a, b, _) = Spellings[isEmbedding ? 1 : 0];
        return (Prefix + module + a, Prefix + module + b);
    }

    /// <summary>In float32, over the mapped file where it has that.</summary>
    public Tensor Read(TensorInfo info) => Folder.Weights.Map(info.Name).to_type(ScalarType.Float32);

    public void Dispose() => Folder.Dispose();

    /// <summary>What B A counts, by module and rank.</summary>
    private static Func<string, int, double> Scales(JsonFields fields)
    {
        var alpha = fields.Number("lora_alpha") ?? 8;
        var byRoot = fields.Flag("use_rslora") ?? false;
        var patterns = Patterns(fields, "alpha_pattern");
        return (module, rank) => (ModulePattern.First(patterns, module) ?? alpha) / (byRoot ? Math.Sqrt(rank) : rank);
    }

    private static List<(Regex Pattern, double Value)> Patterns(JsonFields fields, string name)
    {
        var patterns = new List<(Regex, double)>();
        if (fields.Find(name) is not { ValueKind: JsonValueKind.Object } stored) return patterns;
        foreach (var entry in stored.EnumerateObject())
        {
            if (entry.Value.ValueKind == JsonValueKind.Number && Pattern(entry.Name) is { } pattern)
                patterns.Add((pattern, entry.Value.GetDouble()));
            else fields.Wrong($"{name}: '{entry.Name}' is no regular expression with a number");
        }
        return patterns;
    }

    private static Regex? Pattern(string text)
    {
        try
        {
            return ModulePattern.Suffix(text);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static List<StoredPair> FindPairs(SafetensorsFile file, Func<string, double?> rankOf, Func<string, int, double> scale)
    {
        var (pairs, problems, used) = (new List<StoredPair>(), new List<string>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var name in file.Tensors.Keys.Order(StringComparer.Ordinal))
        {
            foreach (var (partA, partB, isEmbedding) in Spellings)
            {
                if (name.EndsWith(partB, StringComparison.Ordinal) && name[..^partB.Length] + partA is var first
                    && !file.Tensors.ContainsKey(first) && used.Add(name))
                    problems.Add($"the tensor '{first}' is missing");
                if (!name.StartsWith(Prefix, StringComparison.Ordinal) || !name.EndsWith(partA, StringComparison.Ordinal)) continue;
                var module = name[Prefix.Length..^partA.Length];
                var (a, b) = (file.Tensors[name], file.Tensors.GetValueOrDefault(Prefix + module + partB));
                used.Add(name);
                used.Add(Prefix + module + partB);
                if (b is null) problems.Add($"the tensor '{Prefix}{module}{partB}' is missing");
                else if (a.Shape is not [var rank, _] || b.Shape is not [_, var other] || rank != other || rank < 1)
                    problems.Add($"'{name}' is [{string.Join(", ", a.Shape)}] and '{b.Name}' is [{string.Join(", ", b.Shape)}], "
                        + "which is no product");
                else if (rankOf(module) is { } said && said != rank)
                    problems.Add($"'{name}' has the rank {rank}, and adapter_config.json says {said}");
                else pairs.Add(new StoredPair(module, isEmbedding, a, b, scale(module, (int)rank)));
            }
        }
        // PEFT stores the table itself beside a LoRA on it; the base has that.
        var strange = file.Tensors.Keys.Where(k => !used.Contains(k) && !k.EndsWith(BaseTable, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        if (strange.Count > 0) problems.Add($"{strange.Count} tensors are no low-rank matrices: {Lists.Some(strange, 4)}");
        if (pairs.Count == 0 && problems.Count == 0) problems.Add("it holds no tensors");
        if (problems.Count > 0) throw new ModelFormatException(file.Path, string.Join("; ", problems.Take(12)));
        return [.. pairs.OrderBy(p => p.Module, StringComparer.Ordinal)];
    }
}
