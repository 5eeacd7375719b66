using System.Text.Json;
using System.Text.RegularExpressions;
using Graft.Contract;
using Graft.Modeling.Files;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Facts of an adapter's folder from <c>adapter_config.json</c> and the headers of its weights, whatever its method is and whether or not
/// it can be loaded here.
/// </summary>
internal static partial class FolderInspector
{
    /// <exception cref="ModelFormatException">It cannot be read.</exception>
    public static Inspected Read(string path)
    {
        using var folder = AdapterFolder.Open(path);
        var (config, tensors) = (folder.Config, folder.Weights.Tensors);
        var parts = tensors.Values.Select(t => (Tensor: t, Match: Part().Match(t.Name))).Where(p => p.Match.Success).ToList();
        var isHub = !config.Has("peft_type");
        var facts = new AdapterFacts
        {
            Method = TuningMethods.NameOf(folder.Type) ?? folder.Type,
            Rank = config.Integer("r"),
            MaxRank = parts.Select(p => RankOf(p.Tensor, p.Match.Groups["part"].Value)).Max(),
            Alpha = config.Number("lora_alpha"),
            RsLora = config.Flag("use_rslora") ?? false,
            Dora = config.Flag("use_dora") ?? false,
            HasPatterns = HasAny(config, "rank_pattern") || HasAny(config, "alpha_pattern"),
            Bias = config.Text("bias"),
            ModulesToSave = [.. (config.Texts("modules_to_save") ?? []).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            VirtualTokens = config.Integer("num_virtual_tokens"),
            Mergeable = parts.Count > 0,
            Targets = [.. parts.Select(p => LastPart(p.Match.Groups["module"].Value)).Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)],
            Dtype = string.Join(", ", tensors.Values.Select(t => t.Dtype).Distinct(StringComparer.Ordinal)),
            TrainableParameters = tensors.Values.Sum(t => t.Shape.Aggregate(1L, (n, s) => n * s)),
            BaseDigest = "",
            ModelType = config.Text("model_type"),
            Task = config.Text("task_type"),
            Bytes = new FileInfo(folder.Weights.Path).Length + (folder.Head is { } head ? new FileInfo(head.Path).Length : 0),
        };
        var name = config.Text("base_model_name_or_path") ?? config.Text("model_name");
        config.ThrowIfWrong();
        return new Inspected(isHub ? InspectedKind.AdapterHubAdapter : InspectedKind.PeftAdapter, facts, name, Refusal(path));
    }

    /// <summary>What reading it to serve it would say before the base is looked at.</summary>
    private static string? Refusal(string path)
    {
        using var folder = AdapterFolder.Open(path);
        try
        {
            TuningMethods.Of(folder).Dispose();
            return null;
        }
        catch (Exception e) when (e is ModelFormatException or TuningException)
        {
            return e.Message;
        }
    }

    private static int? RankOf(TensorInfo tensor, string part) =>
        part is "lora_A" or "lora_embedding_A" && tensor.Shape is [var rank, _] ? (int)Math.Min(rank, int.MaxValue) : null;

    private static bool HasAny(JsonFields config, string name) =>
        config.Find(name) is { ValueKind: JsonValueKind.Object } pattern && pattern.EnumerateObject().Any();

    private static string LastPart(string module) => module[(module.LastIndexOf('.') + 1)..];

    /// <summary>Tensors of PEFT that lie at a linear layer or a table, and can be added into its weight.</summary>
    [GeneratedRegex(@"^(base_model\.model\.)?(?<module>.+)\.(?<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|ia3_l)(\.weight)?$")]
    private static partial Regex Part();
}
