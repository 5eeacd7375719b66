namespace Graft.Contract;

/// <summary>
/// What was read of SGLang (github.com/sgl-project/sglang), each file at the commit beside it, in <c>python/sglang/srt/lora</c>:
/// <c>lora_config.py</c> 0ceb81fe (the fields that it reads: target_modules, r, lora_alpha, both patterns, use_dora),
/// <c>lora_manager.py</c> db922586 (one rank and one scale for each adapter), <c>utils.py</c> 01235a16 (names of modules whose sizes are
/// known; another is not implemented), and docs.sglang.io, "LoRA Serving" (flags). Other versions may differ. That use_dora is read only
/// to be refused was read in a page that quotes <c>validate_new_adapter</c>, not in the file. Inferred, and only hinted at: that biases
/// and modules saved whole are left out, and rsLoRA's scale too, because no field of the configuration is read for them; which
/// architectures run.
/// </summary>
internal sealed class SglangRules : EngineRules
{
    private static readonly string[] ModelTypes =
        ["gemma", "gemma2", "gemma3", "gemma3_text", "llama", "mistral", "mixtral", "phi3", "qwen2", "qwen3"];

    /// <summary>Those of the models that Graft trains.</summary>
    private static readonly string[] Modules =
    [
        "q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "gate_proj", "up_proj", "down_proj", "qkv_proj", "gate_up_proj",
        "embed_tokens", "word_embeddings", "lm_head",
    ];

    public override void Judge(Judged adapter, List<string> reasons, List<string> hints)
    {
        var facts = adapter.Facts;
        if (!NeedsLora("SGLang", adapter, reasons)) return;
        if (adapter.Format == AdapterFormat.Gguf)
            reasons.Add("SGLang reads LoRA as PEFT's folders, and this is a GGUF file; give it the folder that the file was made from.");
        NeedsGeneration("SGLang", adapter, reasons);
        HintModelType("SGLang", adapter, ModelTypes, hints);
        if (facts.Dora) reasons.Add($"SGLang does not compute DoRA; {adapter.Instead("train without method.lora.dora")}.");
        if (facts.ModulesToSave.Count > 0)
            hints.Add($"SGLang seems to leave out modules that are saved whole ({string.Join(", ", facts.ModulesToSave)}), and to answer "
                + "with the base's: compare its answers before you trust them, or "
                + $"{adapter.Instead("name them in method.lora.targets, which takes LoRA of them")}.");
        if (facts.Bias is not (null or "none"))
            hints.Add($"SGLang seems to leave out biases, and bias is {facts.Bias}: compare its answers before you trust them, or "
                + $"{adapter.Instead("train with bias None")}.");
        if (facts.RsLora)
            hints.Add("SGLang seems to scale by alpha / r, and this is rsLoRA, whose scale is alpha / √r: compare its answers before you "
                + $"trust them, or {adapter.Instead("train without method.lora.rsLora")}.");
        if (facts.HasPatterns)
            reasons.Add("SGLang has one rank and one scale for an adapter, and this one has a rank_pattern or an alpha_pattern; "
                + $"{adapter.Instead("train with one rank and one alpha")}.");
        if (adapter.Limits.MaxLoraRank is { } limit && adapter.Rank > limit)
            reasons.Add($"Its rank is {adapter.Rank}, and the engine's --max-lora-rank is {limit}: start SGLang with "
                + $"--max-lora-rank {adapter.Rank}, "
                + $"or {adapter.Instead("lower the rank")}.");
        JudgeTargets(adapter, reasons, hints);
        if (adapter.Limits.MaxLoraRank is null)
            hints.Add($"To load it while SGLang runs, start it with --enable-lora --max-lora-rank {adapter.Rank} "
                + "--lora-target-modules all.");
    }

    private static void JudgeTargets(Judged adapter, List<string> reasons, List<string> hints)
    {
        var strange = adapter.Facts.Targets.Where(t => !Modules.Contains(t)).ToList();
        if (strange.Count > 0)
            reasons.Add($"SGLang takes no LoRA of {string.Join(", ", strange)}; {adapter.Instead("leave them out of the targets")}.");
        if (adapter.Limits.Targets is not { } taken || taken.Contains("all")) return;
        var missing = adapter.Facts.Targets.Where(t => !taken.Contains(t)).ToList();
        if (missing.Count > 0)
            reasons.Add($"It tunes {string.Join(", ", missing)}, which the engine's --lora-target-modules lacks: start SGLang with "
                + $"--lora-target-modules {string.Join(' ', taken.Concat(missing))}.");
    }
}
