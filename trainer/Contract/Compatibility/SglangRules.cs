namespace Graft.Contract;

/// <summary>
/// SGLang 0.5: docs.sglang.io, "LoRA Serving"; <c>python/sglang/srt/lora/lora_manager.py</c> (<c>validate_new_adapter</c>: no DoRA,
/// ranks and
/// targets within those of the memory pool) and <c>lora_config.py</c> (the fields that it reads, patterns among them only to refuse them).
/// </summary>
internal sealed class SglangRules : EngineRules
{
    private static readonly string[] ModelTypes =
        ["gemma", "gemma2", "gemma3", "gemma3_text", "llama", "mistral", "mixtral", "phi3", "qwen2", "qwen3"];

    private static readonly string[] Modules =
    [
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "qkv_proj", "gate_up_proj", "embed_tokens", "lm_head",
    ];

    public override void Judge(Judged adapter, List<string> reasons, List<string> hints)
    {
        var facts = adapter.Facts;
        if (!NeedsLora("SGLang", adapter, reasons)) return;
        if (adapter.Format == AdapterFormat.Gguf)
            reasons.Add("SGLang reads LoRA as PEFT's folders, and this is a GGUF file; give it the folder that the file was made from.");
        NeedsGeneration("SGLang", adapter, reasons);
        NeedsModelType("SGLang", adapter, ModelTypes, reasons, hints);
        if (facts.Dora) reasons.Add($"SGLang does not compute DoRA; {adapter.Instead("train without method.lora.dora")}.");
        if (facts.ModulesToSave.Count > 0)
            reasons.Add($"SGLang leaves out modules that are saved whole ({string.Join(", ", facts.ModulesToSave)}), and would answer "
                + "with the base's; "
                + $"{adapter.Instead("name them in method.lora.targets, which takes LoRA of them")}.");
        if (facts.Bias is not (null or "none"))
            reasons.Add($"SGLang leaves out biases, and bias is {facts.Bias}; {adapter.Instead("train with bias None")}.");
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
        if (strange.Count > 0 && adapter.ModelType is { } type && ModelTypes.Contains(type))
            reasons.Add($"SGLang takes no LoRA of {string.Join(", ", strange)}; {adapter.Instead("leave them out of the targets")}.");
        if (adapter.Limits.Targets is not { } taken || taken.Contains("all")) return;
        var missing = adapter.Facts.Targets.Where(t => !taken.Contains(t)).ToList();
        if (missing.Count > 0)
            reasons.Add($"It tunes {string.Join(", ", missing)}, which the engine's --lora-target-modules lacks: start SGLang with "
                + $"--lora-target-modules {string.Join(' ', taken.Concat(missing))}.");
    }
}
