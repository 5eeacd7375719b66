using System.Text.Json;

namespace Graft.Contract.Tests;

public sealed class AdapterVerdictsTests
{
    private const string Digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    private static readonly AdapterFacts Plain = new()
    {
        Method = "lora", Rank = 8, MaxRank = 8, Alpha = 16, Bias = "none", Mergeable = true, Targets = ["q_proj", "v_proj"], Dtype = "F32",
        TrainableParameters = 1000, BaseDigest = Digest, ModelType = "llama", Task = "CAUSAL_LM", Bytes = 4000,
    };

    private static readonly AdapterFacts Prompt = Plain with
    {
        Method = "promptTuning", Rank = null, MaxRank = null, Alpha = null, Bias = null, Mergeable = false, Targets = [],
        VirtualTokens = 20,
    };

    [Theory]
    [InlineData(ServingEngine.Vllm)]
    [InlineData(ServingEngine.Sglang)]
    [InlineData(ServingEngine.Graft)]
    public void A_plain_LoRA_of_PEFT_is_served_by_all_that_read_its_folder(ServingEngine engine)
    {
        var verdict = Judge(Plain, engine);
        Assert.True(verdict.Loads);
        Assert.Empty(verdict.Reasons);
    }

    [Fact]
    public void Llamacpp_wants_a_GGUF_file_and_says_how_to_make_one()
    {
        Assert.Contains("graft-trainer export", Assert.Single(Judge(Plain, ServingEngine.Llamacpp).Reasons), StringComparison.Ordinal);
        Assert.True(AdapterVerdicts.Judge(Plain, AdapterFormat.Gguf, new ServingLimits(ServingEngine.Llamacpp)).Loads);
        Assert.False(AdapterVerdicts.Judge(Plain, AdapterFormat.Gguf, new ServingLimits(ServingEngine.Vllm)).Loads);
    }

    [Theory]
    [InlineData(16, null, null)]
    [InlineData(17, null, "--max-lora-rank 32")]
    [InlineData(64, 32, "--max-lora-rank 64")]
    [InlineData(64, 64, null)]
    [InlineData(300, 256, "--max-lora-rank 320")]
    [InlineData(513, 512, "the largest that vLLM has is 512")]
    [InlineData(8, 24, "vLLM does not start with --max-lora-rank 24")]
    public void Vllm_takes_ranks_up_to_its_limit_and_is_told_the_flag_that_would_do(int rank, int? limit, string? reason)
    {
        var verdict = AdapterVerdicts.Judge(
            Plain with { Rank = 4, MaxRank = rank }, AdapterFormat.Peft, new ServingLimits(ServingEngine.Vllm, MaxLoraRank: limit));
        if (reason is null) Assert.Empty(verdict.Reasons);
        else Assert.Contains(reason, Assert.Single(verdict.Reasons), StringComparison.Ordinal);
    }

    public static TheoryData<string, ServingEngine, string> Refused => new()
    {
        { "dora", ServingEngine.Vllm, "does not compute DoRA; put it into the base's weights with 'graft-trainer merge'" },
        { "dora", ServingEngine.Sglang, "does not compute DoRA" },
        { "dora", ServingEngine.Llamacpp, "DoRA's magnitudes" },
        { "saved", ServingEngine.Vllm, "modules_to_save to be null, and it is lm_head" },
        { "saved", ServingEngine.Llamacpp, "saved whole (lm_head)" },
        { "bias", ServingEngine.Vllm, "bias is all" },
        { "patterns", ServingEngine.Vllm, "neither rank_pattern nor alpha_pattern" },
        { "patterns", ServingEngine.Sglang, "rank_pattern or an alpha_pattern" },
        { "gpt2", ServingEngine.Vllm, "no LoRA on models of the type gpt2" },
        { "gpt2", ServingEngine.Sglang, "no LoRA of c_attn" },
        { "classifier", ServingEngine.Vllm, "classifies texts" },
        { "classifier", ServingEngine.Sglang, "classifies texts" },
        { "classifier", ServingEngine.Llamacpp, "classifies texts" },
        { "classifier", ServingEngine.Graft, "graft-trainer evaluate" },
        { "prompt", ServingEngine.Vllm, "20 virtual tokens before the text" },
        { "prompt", ServingEngine.Llamacpp, "serve it with Graft's own server" },
        { "ia3", ServingEngine.Vllm, "takes LoRA only, and this is ia3; put it into the base's weights" },
        { "bottleneck", ServingEngine.Sglang, "this is bottleneck; serve it with Graft's own server" },
        { "unknown", ServingEngine.Graft, "does not know the method LOHA" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_an_engine_would_refuse_or_compute_wrongly_is_said_with_what_to_do(string what, ServingEngine engine, string reason)
    {
        var facts = what switch
        {
            "dora" => Plain with { Dora = true },
            "saved" => Plain with { ModulesToSave = ["lm_head"] },
            "bias" => Plain with { Bias = "all" },
            "patterns" => Plain with { HasPatterns = true },
            "gpt2" => Plain with { ModelType = "gpt2", Targets = ["c_attn"] },
            "classifier" => Plain with { Task = "SEQ_CLS" },
            "prompt" => Prompt,
            "ia3" => Plain with { Method = "ia3", Rank = null },
            "bottleneck" => Prompt with { Method = "bottleneck", VirtualTokens = null },
            _ => Plain with { Method = "LOHA" },
        };
        var verdict = Judge(facts, engine);
        Assert.False(verdict.Loads);
        Assert.Contains(verdict.Reasons, r => r.Contains(reason, StringComparison.Ordinal));
        Assert.All(verdict.Reasons, r => Assert.EndsWith(".", r, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("promptTuning")]
    [InlineData("pTuning")]
    [InlineData("prefixTuning")]
    [InlineData("bottleneck")]
    [InlineData("ia3")]
    public void Grafts_own_server_takes_every_method_that_Graft_trains(string method) =>
        Assert.True(Judge(Prompt with { Method = method }, ServingEngine.Graft).Loads);

    [Fact]
    public void Another_base_is_refused_by_every_engine()
    {
        var other = Digest.Replace('0', '1');
        foreach (var engine in Enum.GetValues<ServingEngine>())
        {
            Assert.Contains(AdapterVerdicts.Judge(Plain, AdapterFormat.Peft, new ServingLimits(engine, BaseDigest: other)).Reasons,
                r => r.Contains(other, StringComparison.Ordinal));
            Assert.DoesNotContain(AdapterVerdicts.Judge(Plain, AdapterFormat.Peft, new ServingLimits(engine, BaseDigest: Digest)).Reasons,
                r => r.Contains(Digest, StringComparison.Ordinal));
            Assert.Contains(AdapterVerdicts.Judge(Plain, AdapterFormat.Peft, new ServingLimits(engine, ModelType: "qwen2")).Reasons,
                r => r.Contains("type llama, and the engine's is qwen2", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Limits_that_an_engine_was_started_with_count()
    {
        Verdict Of(AdapterFacts facts, ServingLimits limits) => AdapterVerdicts.Judge(facts, AdapterFormat.Peft, limits);
        Assert.Contains("--lora-target-modules q_proj v_proj",
            Assert.Single(Of(Plain, new(ServingEngine.Sglang, Targets: ["q_proj"])).Reasons), StringComparison.Ordinal);
        Assert.Empty(Of(Plain, new(ServingEngine.Sglang, Targets: ["all"])).Reasons);
        Assert.Contains("--max-lora-rank 8",
            Assert.Single(Of(Plain, new(ServingEngine.Sglang, MaxLoraRank: 4)).Reasons), StringComparison.Ordinal);
        Assert.Contains("leaves no room",
            Assert.Single(Of(Prompt, new(ServingEngine.Graft, MaxPositions: 20)).Reasons), StringComparison.Ordinal);
        Assert.Contains("4000 bytes", Assert.Single(Of(Plain, new(ServingEngine.Graft, MaxBytes: 3999)).Reasons), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_known_is_a_hint_and_no_reason()
    {
        var verdict = Judge(Plain with { ModelType = null, BaseDigest = "" }, ServingEngine.Vllm);
        Assert.True(verdict.Loads);
        Assert.Contains(verdict.Hints, h => h.Contains("architecture", StringComparison.Ordinal));
        Assert.Contains(Judge(Plain with { BaseDigest = "" }, ServingEngine.Graft).Hints,
            h => h.Contains("not recorded", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_only_inferred_of_an_engine_refuses_nothing_and_is_said()
    {
        void Hinted(AdapterFacts facts, ServingEngine engine, string hint)
        {
            var verdict = AdapterVerdicts.Judge(
                facts, engine == ServingEngine.Llamacpp ? AdapterFormat.Gguf : AdapterFormat.Peft, new ServingLimits(engine));
            Assert.Empty(verdict.Reasons);
            Assert.Contains(verdict.Hints, h => h.Contains(hint, StringComparison.Ordinal));
        }
        Hinted(Plain with { ModulesToSave = ["lm_head"] }, ServingEngine.Sglang, "saved whole (lm_head)");
        Hinted(Plain with { Bias = "all" }, ServingEngine.Sglang, "bias is all");
        Hinted(Plain with { RsLora = true }, ServingEngine.Sglang, "rsLoRA");
        Hinted(Plain with { Targets = ["q_proj", "gate"] }, ServingEngine.Vllm, "its own llama lacks, and gate may be such");
        foreach (var engine in (ServingEngine[])[ServingEngine.Vllm, ServingEngine.Sglang, ServingEngine.Llamacpp])
            Hinted(Plain with { ModelType = "olmo2" }, engine, "models of the type olmo2 is not known");
    }

    [Fact]
    public void A_whole_model_is_served_as_a_model()
    {
        Assert.True(AdapterVerdicts.JudgeModel(ServingEngine.Vllm, gguf: false).Loads);
        Assert.False(AdapterVerdicts.JudgeModel(ServingEngine.Llamacpp, gguf: false).Loads);
        Assert.True(AdapterVerdicts.JudgeModel(ServingEngine.Llamacpp, gguf: true).Loads);
    }

    [Fact]
    public void Facts_of_an_older_manifest_without_the_newer_fields_are_judged()
    {
        var facts = JsonSerializer.Deserialize(
            $$"""{"method":"lora","rank":32,"targets":["q_proj"],"dtype":"F32","trainableParameters":1,"baseDigest":"{{Digest}}"}""",
            ContractJson.Default.AdapterFacts)!;
        Assert.Contains("Its rank is 32", Assert.Single(Judge(facts, ServingEngine.Vllm).Reasons), StringComparison.Ordinal);
    }

    private static Verdict Judge(AdapterFacts facts, ServingEngine engine) =>
        AdapterVerdicts.Judge(facts, AdapterFormat.Peft, new ServingLimits(engine));
}
