namespace Graft.Modeling.Models;

/// <summary>BERT (Devlin et al. 2018, arXiv:1810.04805), as an encoder with its pooler or as a classifier of texts.</summary>
internal static class Bert
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "bert", VocabularySize = 30_522, HiddenSize = 768, IntermediateSize = 3072,
        Layers = 12, Heads = 12, KvHeads = 0, HeadSize = 0,
        MaxPositions = 512, NormEpsilon = 1e-12, TiedEmbeddings = true, PadId = 0,
    };

    private static readonly ConfigReading.Names Names = new() { Epsilon = "layer_norm_eps" };

    public static ModelPlan Read(JsonFields f, ModelTask task) => Read(f, task, Defaults, "bert.") with
    {
        Classifier = (network, c) => ClassifierHeads.Pooled(network, c, Poolers.FirstToken(network, c, "bert.pooler.dense")),
    };

    /// <summary>What RoBERTa has in common with it.</summary>
    /// <param name="name">Prefix that the body's weights have in a classifier.</param>
    /// <param name="afterPad">Positions begin behind the id of padding.</param>
    internal static ModelPlan Read(JsonFields f, ModelTask task, ModelConfig defaults, string name, bool afterPad = false)
    {
        var config = f.Read(defaults, Names);
        f.RefuseTrue("is_decoder");
        if (f.Text("position_embedding_type") is { } kind and not "absolute")
            f.Wrong($"position_embedding_type is '{kind}'; only 'absolute' is supported");
        var activation = Activation.Read(f, "hidden_act", "gelu");
        var (positions, types) = (config.MaxPositions, f.CountOr("type_vocab_size", 2));
        if (types is < 1 or > 1 << 20) f.Wrong($"type_vocab_size is {types}");
        if (afterPad && config.PadId is not >= 0) f.Wrong("pad_token_id is missing, by which positions are counted");
        var pad = afterPad ? config.PadId : null;
        var prefix = task == ModelTask.Classification ? name : "";
        return new ModelPlan(
            config with { MaxPositions = positions - (pad + 1 ?? 0) },
            (network, c) => new Encoder(network, c, prefix, positions, types, activation, pad))
        {
            Pooler = (network, c) => Poolers.FirstToken(network, c, "pooler.dense"),
            NameOf = stored => NameOf(stored, name, prefix),
        };
    }

    /// <summary>
    /// A file of a classifier has a prefix that one of the bare encoder lacks. The oldest call a norm's weight gamma and its bias beta.
    /// </summary>
    private static string? NameOf(string stored, string name, string prefix)
    {
        if (stored.EndsWith("embeddings.position_ids", StringComparison.Ordinal)) return null;
        // Of a model that fills in masked words only the body embeds.
        if (prefix.Length == 0 && (stored.StartsWith("cls.", StringComparison.Ordinal) || stored.StartsWith("lm_head.", StringComparison.Ordinal)))
            return null;
        if (stored.EndsWith("LayerNorm.gamma", StringComparison.Ordinal)) stored = stored[..^5] + "weight";
        if (stored.EndsWith("LayerNorm.beta", StringComparison.Ordinal)) stored = stored[..^4] + "bias";
        if (stored.StartsWith(name, StringComparison.Ordinal)) stored = stored[name.Length..];
        return StoredNames.Under(prefix, stored, "embeddings.", "encoder.", "pooler.");
    }
}
