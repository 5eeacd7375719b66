using Graft.Modeling.Files;

namespace Graft.Modeling.Models;

/// <summary>
/// The metadata of an architecture that are read, or that change nothing that is computed here. Every other key that begins with the
/// architecture's name is refused: it may be an option that the file's numbers depend on.
/// </summary>
internal static class GgufKeys
{
    private static readonly string[] Common =
    [
        "context_length", "embedding_length", "block_count", "feed_forward_length", "vocab_size",
        "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
        // Refused where they are not 0.
        "attention.sliding_window", "expert_count",
        // Nothing without experts; how the original's rows lay; how positions were scaled in training; how embeddings would be pooled.
        "expert_used_count", "tensor_data_layout", "rope.scaling.finetuned", "pooling_type",
    ];

    private static readonly string[] Rotary =
    [
        "rope.dimension_count", "rope.freq_base", "rope.scale_linear", "rope.scaling.type", "rope.scaling.factor",
        "rope.scaling.original_context_length", "rope.scaling.attn_factor", "rope.scaling.yarn_attn_factor",
        "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow",
    ];

    /// <exception cref="ModelFormatException">Names every key that is not known.</exception>
    public static void RefuseUnknown(GgufFile file, GgufArchitecture own)
    {
        var known = Of(own).Select(k => $"{own.Name}.{k}").ToHashSet(StringComparer.Ordinal);
        var strange = file.Metadata.Keys.Where(k => k.StartsWith(own.Name + ".", StringComparison.Ordinal) && !known.Contains(k))
            .Order(StringComparer.Ordinal).ToList();
        if (strange.Count > 0)
            throw new ModelFormatException(file.Path, $"sets options of {own.Name} that are not supported: {Lists.Some(strange)}");
    }

    private static IEnumerable<string> Of(GgufArchitecture own) =>
    [
        .. Common, own.Epsilon,
        .. own.Rotates ? Rotary : [],
        .. own.HasLocalBase ? ["rope.freq_base_swa"] : Array.Empty<string>(),
        .. own.ScoreCap is null ? [] : (string[])["attn_logit_softcapping"],
        .. own.CapsLogits ? ["final_logit_softcapping"] : Array.Empty<string>(),
        .. own.Windows == GgufWindows.Pattern ? ["attention.sliding_window_pattern"] : Array.Empty<string>(),
    ];
}
