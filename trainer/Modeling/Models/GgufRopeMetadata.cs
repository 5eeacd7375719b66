using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>How a model turns positions, as GGUF metadata: the way back of <see cref="GgufRope"/>.</summary>
internal static class GgufRopeMetadata
{
    /// <param name="add">Takes a key without the architecture's name, and its value.</param>
    /// <returns>Tables that are tensors in a file.</returns>
    public static IReadOnlyList<(string Name, float[] Values)> Add(
        JsonFields fields, ModelPlan plan, GgufArchitecture own, Action<string, object> add)
    {
        var (rope, each) = (plan.Ropes[^1], fields.Object("rope_parameters"));
        var scaling = own.HasLocalBase ? each?.Object("full_attention") ?? fields.Object("rope_scaling") : RopeReader.Scaling(fields);
        var theta = scaling?.Number("rope_theta") ?? fields.Number("rope_theta") ?? (own.HasLocalBase ? 1_000_000 : 10_000);
        if (rope.Size != plan.Config.HeadSize && !own.RotatesPart)
            fields.Wrong($"partial_rotary_factor: only a part of each head is turned, which GGUF's {own.Name} architecture cannot say");
        add("rope.dimension_count", (uint)rope.Size);
        add("rope.freq_base", (float)theta);
        if (own.HasLocalBase) AddLocal(fields, plan, each?.Object("sliding_attention"), add);
        var type = scaling?.Text("rope_type") ?? scaling?.Text("type") ?? "default";
        // What the first files of Phi 3 called "su" and "yarn".
        if (own.RotatesPart && type is ("su" or "yarn")) type = "longrope";
        switch (type)
        {
            case "default":
                return [];
            case "linear":
            case "yarn":
                add("rope.scaling.type", type);
                add("rope.scaling.factor", (float)(scaling!.Number("factor")
                    ?? (double)plan.Config.MaxPositions / (Original(fields, scaling) ?? plan.Config.MaxPositions)));
                if (type == "yarn") AddYarn(fields, scaling, add);
                return [];
            case "llama3" when own.Tensors.OfConfiguration.Contains(GgufArchitectures.RopeFactors):
                return [(GgufArchitectures.RopeFactors, Factors(rope, theta))];
            // What a file of Llama 3 becomes as a folder.
            case "longrope" when own.Tensors.OfConfiguration.Contains(GgufArchitectures.RopeFactors) && rope.Amplitude == 1
                && rope.Frequencies(1).SequenceEqual(rope.Frequencies(plan.Config.MaxPositions)):
                return [(GgufArchitectures.RopeFactors, Factors(rope, theta))];
            case "longrope" when own.Tensors.OfConfiguration.Contains(GgufArchitectures.LongFactors):
                add("rope.scaling.original_context_length",
                    (uint)(fields.Integer("original_max_position_embeddings") ?? Phi3.OriginalPositions));
                add("rope.scaling.attn_factor", (float)rope.Amplitude);
                return
                [
                    (GgufArchitectures.LongFactors, Listed(scaling!, "long_factor")),
                    (GgufArchitectures.ShortFactors, Listed(scaling!, "short_factor")),
                ];
            default:
                fields.Wrong($"rope scaling '{type}' cannot be said in GGUF's {own.Name} architecture");
                return [];
        }
    }

    private static void AddYarn(JsonFields fields, JsonFields scaling, Action<string, object> add)
    {
        foreach (var field in new[] { "attention_factor", "mscale", "mscale_all_dim" })
            if (scaling.Has(field)) fields.Wrong($"the YaRN scaling has {field}, which GGUF cannot say");
        if (scaling.Flag("truncate") == false) fields.Wrong("the YaRN scaling has truncate false, which GGUF cannot say");
        if (Original(fields, scaling) is { } original) add("rope.scaling.original_context_length", (uint)original);
        if (scaling.Number("beta_fast") is { } fast) add("rope.scaling.yarn_beta_fast", (float)fast);
        if (scaling.Number("beta_slow") is { } slow) add("rope.scaling.yarn_beta_slow", (float)slow);
    }

    /// <summary>Of layers that slide: a base other than llama.cpp's is said, scaling cannot be.</summary>
    private static void AddLocal(JsonFields fields, ModelPlan plan, JsonFields? scaling, Action<string, object> add)
    {
        var theta = scaling?.Number("rope_theta") ?? fields.Number("rope_local_base_freq") ?? 10_000;
        add("rope.freq_base_swa", (float)theta);
        using var scope = NewDisposeScope();
        if (!plan.Ropes[0].Frequencies(1).SequenceEqual(Rope.Plain(theta, plan.Ropes[0].Size).data<float>().ToArray()))
            fields.Wrong("rope_parameters scale the positions of layers that slide, which GGUF cannot say");
    }

    private static int? Original(JsonFields fields, JsonFields scaling) =>
        fields.Integer("original_max_position_embeddings") ?? scaling.Integer("original_max_position_embeddings");

    private static float[] Listed(JsonFields scaling, string name) =>
        [.. scaling.Find(name)!.Value.EnumerateArray().Select(v => v.GetSingle())];

    /// <summary>What divides each frequency.</summary>
    private static float[] Factors(Rope rope, double theta)
    {
        using var scope = NewDisposeScope();
        var plain = Rope.Plain(theta, rope.Size).data<float>().ToArray();
        return [.. rope.Frequencies(1).Zip(plain, (scaled, unscaled) => unscaled / scaled)];
    }
}
