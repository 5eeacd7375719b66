namespace Graft.Contract;

/// <summary>
/// vLLM 0.10 and later: <c>vllm/lora/peft_helper.py</c> (no DoRA, <c>modules_to_save</c> null; the fields that it reads),
/// <c>vllm/config/lora.py</c>
/// (ranks), <c>vllm/lora/lora_model.py</c> (names of tensors), and docs.vllm.ai, "LoRA Adapters" and "Supported Models".
/// </summary>
internal sealed class VllmRules : EngineRules
{
    private const int DefaultRank = 16;

    /// <summary>What <c>--max-lora-rank</c> may be.</summary>
    private static readonly int[] Ranks = [1, 8, 16, 32, 64, 128, 256, 320, 512];

    private static readonly string[] ModelTypes =
        ["gemma", "gemma2", "gemma3", "gemma3_text", "llama", "mistral", "mixtral", "phi", "phi3", "qwen2", "qwen3"];

    /// <summary>Of the models above but phi; q, k, v and gate, up are one matrix each in vLLM, whose parts load by these names.</summary>
    private static readonly string[] Modules =
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "qkv_proj", "gate_up_proj"];

    private static readonly string[] Tables = ["embed_tokens", "lm_head"];

    public override void Judge(Judged adapter, List<string> reasons, List<string> hints)
    {
        var facts = adapter.Facts;
        if (!NeedsLora("vLLM", adapter, reasons))
        {
            if (facts.Method is "promptTuning" or "pTuning")
                hints.Add("vLLM dropped prompt adapters in 0.10; a client may still send the vectors itself, as prompt_embeds "
                    + "(--enable-prompt-embeds).");
            return;
        }
        if (adapter.Format == AdapterFormat.Gguf)
            reasons.Add("vLLM reads LoRA as PEFT's folders, and this is a GGUF file; give it the folder that the file was made from.");
        NeedsGeneration("vLLM", adapter, reasons);
        NeedsModelType("vLLM", adapter, ModelTypes, reasons, hints);
        if (facts.Dora) reasons.Add($"vLLM does not compute DoRA; {adapter.Instead("train without method.lora.dora")}.");
        if (facts.ModulesToSave.Count > 0)
            reasons.Add($"vLLM wants modules_to_save to be null, and it is {string.Join(", ", facts.ModulesToSave)}; "
                + $"{adapter.Instead("name them in method.lora.targets, which takes LoRA of them")}.");
        if (facts.Bias is not (null or "none"))
            reasons.Add($"vLLM takes no biases, and bias is {facts.Bias}; {adapter.Instead("train with bias None")}.");
        if (facts.HasPatterns)
            reasons.Add("vLLM reads neither rank_pattern nor alpha_pattern, and would scale those modules wrongly without saying so; "
                + $"{adapter.Instead("train with one rank and one alpha")}.");
        JudgeRank(adapter, reasons, hints);
        JudgeTargets(adapter, reasons, hints);
    }

    private static void JudgeRank(Judged adapter, List<string> reasons, List<string> hints)
    {
        var (rank, limit) = (adapter.Rank, adapter.Limits.MaxLoraRank ?? DefaultRank);
        if (!Ranks.Contains(limit))
            reasons.Add($"vLLM does not start with --max-lora-rank {limit}; it may be {string.Join(", ", Ranks)}.");
        else if (rank > Ranks[^1])
            reasons.Add($"Its rank is {rank}, and the largest that vLLM has is {Ranks[^1]}; {adapter.Instead("lower the rank")}.");
        else if (rank > limit)
            reasons.Add($"Its rank is {rank}, and the engine's --max-lora-rank is {limit}: start vLLM with --max-lora-rank "
                + $"{Ranks.First(r => r >= rank)}, "
                + $"or {adapter.Instead("lower the rank")}.");
        hints.Add("vLLM must be started with --enable-lora; to load while it runs, with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True.");
    }

    private static void JudgeTargets(Judged adapter, List<string> reasons, List<string> hints)
    {
        if (adapter.ModelType is not { } type || type == "phi" || !ModelTypes.Contains(type)) return;
        var strange = adapter.Facts.Targets.Where(t => !Modules.Contains(t) && !Tables.Contains(t)).ToList();
        if (strange.Count > 0)
            reasons.Add($"vLLM's {type} has no module {string.Join(", ", strange)} that takes LoRA; "
                + $"{adapter.Instead("leave them out of the targets")}.");
        if (adapter.Facts.Targets.Any(Tables.Contains))
            hints.Add("LoRA of embed_tokens and lm_head loads only where vLLM's model declares them as embedding modules, as "
                + "its llama does.");
    }
}
