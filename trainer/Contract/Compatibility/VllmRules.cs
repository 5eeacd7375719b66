namespace Graft.Contract;

/// <summary>
/// What was read of vLLM (github.com/vllm-project/vllm), each file at the commit beside it: <c>vllm/lora/peft_helper.py</c> e745baff (the
/// fields that it reads, rank_pattern and alpha_pattern not among them; no DoRA, no <c>modules_to_save</c>, no bias unless
/// <c>bias_enabled</c>, r at most <c>max_lora_rank</c>), <c>vllm/config/lora.py</c> a78dc92f (ranks and their default; bias_enabled is
/// gone), <c>vllm/lora/utils.py</c> 001e63a8 (a tensor that is neither A, B nor a bias is refused; every linear module takes LoRA,
/// embeddings where the model declares them), <c>vllm/lora/lora_model.py</c> 0306474e (names are compared by their last part) and
/// <c>docs/models/supported_models.md</c> 0046f770 (column LoRA). Other versions may differ. That biases are always refused is inferred
/// from the first two; which modules vLLM's own classes have is inferred from the models they mirror, and only hinted at.
/// </summary>
internal sealed class VllmRules : EngineRules
{
    private const int DefaultRank = 16;

    /// <summary>What <c>--max-lora-rank</c> may be.</summary>
    private static readonly int[] Ranks = [1, 8, 16, 32, 64, 128, 256, 320, 512];

    private static readonly string[] ModelTypes =
        ["gemma", "gemma2", "gemma3_text", "llama", "mistral", "mixtral", "phi", "phi3", "qwen2", "qwen3"];

    /// <summary>Rows of the same table without the mark.</summary>
    private static readonly string[] WithoutLora = ["bloom", "dbrx", "falcon", "gpt2", "gpt_neox", "gptj", "mamba", "mpt"];

    /// <summary>Of the models above but phi, as Hugging Face names them.</summary>
    private static readonly string[] Modules =
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "qkv_proj", "gate_up_proj"];

    private static readonly string[] Tables = ["embed_tokens", "lm_head"];

    public override void Judge(Judged adapter, List<string> reasons, List<string> hints)
    {
        var facts = adapter.Facts;
        if (!NeedsLora("vLLM", adapter, reasons))
        {
            if (facts.Method is "promptTuning" or "pTuning")
                hints.Add("A client may send the vectors itself where vLLM takes prompt_embeds (--enable-prompt-embeds).");
            return;
        }
        if (adapter.Format == AdapterFormat.Gguf)
            reasons.Add("vLLM reads LoRA as PEFT's folders, and this is a GGUF file; give it the folder that the file was made from.");
        NeedsGeneration("vLLM", adapter, reasons);
        if (adapter.ModelType is { } type && WithoutLora.Contains(type))
            reasons.Add($"vLLM takes no LoRA on models of the type {type}; {adapter.Instead()}.");
        else HintModelType("vLLM", adapter, ModelTypes, hints);
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
            hints.Add($"vLLM refuses modules that its own {type} lacks, and {string.Join(", ", strange)} may be such; if so, "
                + $"{adapter.Instead("leave them out of the targets")}.");
        if (adapter.Facts.Targets.Any(Tables.Contains))
            hints.Add("LoRA of embed_tokens and lm_head loads only where vLLM's model declares them as embedding modules.");
    }
}
