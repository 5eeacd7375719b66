using System.Text.Json.Nodes;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Lora;

/// <summary>Every way of LoRA, trained a little, saved, and loaded on the base as it is.</summary>
[Collection(TorchCollection.Name)]
public sealed class LoraVariantTests
{
    private static readonly LoraTargets All = new() { AllLinear = new AllLinear() };

    private static readonly Dictionary<string, LoraMethod> Variants = new()
    {
        ["plain"] = new(All, 4),
        ["gaussian"] = new(All, 4, Initialization: LoraInitialization.Gaussian),
        ["dora"] = new(All, 4, Dora: true),
        ["pissa"] = new(All, 4, Initialization: LoraInitialization.Pissa),
        ["olora"] = new(All, 4, RsLora: true, Initialization: LoraInitialization.Olora),
        ["pissa dora"] = new(All, 4, Dora: true, Initialization: LoraInitialization.Pissa),
        ["patterns"] = new(All, 4) { RankPattern = new Dictionary<string, int> { [".*(q|attn|query)[a-z_]*"] = 2, ["q_proj"] = 9 } },
        ["layers"] = new(All, 4, Layers: [1]),
        ["bias all"] = new(All, 4, Bias: LoraBias.All),
        ["bias lora_only"] = new(All, 4, Bias: LoraBias.LoraOnly),
        ["bias dora"] = new(All, 4, Dora: true, Bias: LoraBias.LoraOnly),
    };

    private static readonly Dictionary<string, LoraMethod> OfLlamas = new()
    {
        ["embedding"] = new(new LoraTargets { Modules = ["embed_tokens", "q_proj"] }, 4),
        ["pissa with embedding"] = new(
            new LoraTargets { Modules = ["embed_tokens", "q_proj"] }, 4, RsLora: true, Initialization: LoraInitialization.Pissa),
        ["head"] = new(new LoraTargets { Modules = ["lm_head", "v_proj"] }, 4),
        ["head dora"] = new(new LoraTargets { Modules = ["lm_head"] }, 4, Dora: true),
        ["embedding and head"] = new(new LoraTargets { Modules = ["lm_head", "embed_tokens"] }, 4, RsLora: true),
        ["whole"] = new(new LoraTargets { Modules = ["q_proj"] }, 4) { ModulesToSave = ["lm_head", "embed_tokens", "layers.0.mlp"] },
    };

    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string>();
            foreach (var variant in Variants.Keys)
                foreach (var model in new[] { "llama", "gpt2", "qwen2", "bert_seqcls", "roberta_seqcls" })
                    pairs.Add(variant, model);
            foreach (var variant in OfLlamas.Keys)
                foreach (var model in new[] { "llama", "qwen2", "gemma2" })
                    pairs.Add(variant, model);
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void It_starts_at_the_base_learns_and_loads_on_the_base_as_it_is(string variant, string model)
    {
        using var scope = NewDisposeScope();
        using var run = new LoraRun(model);
        var before = run.Model.Transformer.Weights.Select(w => w.Weight.clone()).ToList();
        var bare = run.Logits().detach();
        using var method = run.Attach(Of(variant));
        Assert.True(Fixtures.MaxDifference(bare, run.Logits()) < 2e-5);

        LoraRun.Disturb(method, 0.02);
        run.Loss().backward();
        Assert.All(method.Trainable, t => Assert.True(t.Parameter.grad is { } g && g.isfinite().all().item<bool>(), t.Name));
        Assert.All(run.Model.Transformer.Weights, w => Assert.Null(w.Weight.grad));

        using var guard = no_grad();
        var tuned = run.Logits();
        Assert.True(Fixtures.MaxDifference(bare, tuned) > 1e-3);
        using var loaded = run.SaveAndLoad(method);
        Assert.True(Fixtures.MaxDifference(tuned, run.Logits(loaded)) < 2e-5);
        // Base and adapter in one pass, each with its own answer.
        var rows = tuned.size(0);
        var mixed = run.Logits([null, loaded, null], LoraRun.Ids);
        Assert.True(Fixtures.MaxDifference(bare, mixed.narrow(0, 0, rows)) < 2e-5);
        Assert.True(Fixtures.MaxDifference(tuned, mixed.narrow(0, rows, rows)) < 2e-5);
        Assert.True(Fixtures.MaxDifference(bare, mixed.narrow(0, 2 * rows, rows)) < 2e-5);
        Assert.Equal(0, before.Zip(run.Model.Transformer.Weights).Max(p => Fixtures.MaxDifference(p.First, p.Second.Weight)));

        var again = Directory.CreateTempSubdirectory("graft-").FullName;
        method.Save(again, run.Model, "base");
        foreach (var file in Directory.GetFiles(again))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(run.Folder, Path.GetFileName(file))));
        Directory.Delete(again, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Gradients_are_those_of_small_differences(string variant, string model)
    {
        // The length of DoRA's rows counts as a constant there, which a difference would not leave constant.
        if (variant.Contains("dora", StringComparison.Ordinal)) return;
        using var scope = NewDisposeScope();
        using var run = new LoraRun(model);
        using var method = run.Attach(Of(variant), 0.02);
        run.Loss().backward();
        using var guard = no_grad();
        foreach (var (name, parameter) in method.Trainable.Where((_, i) => i % 3 == 0))
        {
            var direction = parameter.grad!.sign();
            const double step = 1e-3;
            parameter.add_(direction, alpha: step);
            var more = run.Loss().item<float>();
            parameter.add_(direction, alpha: -2 * step);
            var less = run.Loss().item<float>();
            parameter.add_(direction, alpha: step);
            var wanted = parameter.grad!.abs().sum().item<float>();
            var found = (more - less) / (2 * step);
            Assert.True(Math.Abs(found - wanted) < 0.03 * wanted + 0.02, $"{name}: {found}, not {wanted}");
        }
    }

    public static TheoryData<string> OfALlama => [.. Variants.Keys, .. OfLlamas.Keys];

    [Theory]
    [MemberData(nameof(OfALlama))]
    public void A_narrow_base_trains_float32_tensors_and_answers_as_it_did_when_loaded_again(string variant)
    {
        using var scope = NewDisposeScope();
        using var run = new LoraRun(dtype: ScalarType.BFloat16);
        using var method = run.Attach(Of(variant), 0.02);
        run.Loss().backward();
        Assert.All(method.Trainable, t => Assert.Equal(ScalarType.Float32, t.Parameter.grad!.dtype));
        using var guard = no_grad();
        var tuned = run.Logits();
        using var loaded = run.SaveAndLoad(method);
        Assert.True(Fixtures.MaxDifference(tuned, run.Logits(loaded)) < 0.1);
    }

    public static TheoryData<string, bool> Packed
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var variant in Variants.Keys.Concat(OfLlamas.Keys)) data.Add(variant, false);
            foreach (var variant in new[] { "plain", "dora", "pissa", "embedding and head", "head dora", "whole" }) data.Add(variant, true);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Packed))]
    public void A_packed_base_gives_the_loss_and_gradients_of_the_widened_one(string variant, bool gguf)
    {
        using var scope = NewDisposeScope();
        using var packed = gguf
            ? new LoraRun("sp_bpe-q8_0/model.gguf") : new LoraRun(quantization: new Quantization { Nf4 = new Nf4Quantization() });
        using var wide = gguf
            ? new LoraRun("sp_bpe-q8_0/model.gguf", new Quantization { None = new NoQuantization() }) : new LoraRun();
        Assert.NotEmpty(packed.Model.PackedFormats);
        using (no_grad())
            foreach (var (to, from) in wide.Model.Transformer.Linears.Zip(packed.Model.Transformer.Linears))
                to.Weight.Dense!.copy_(from.Weight.Widened());
        using var a = packed.Attach(Of(variant), 0.02);
        using var b = wide.Attach(Of(variant), 0.02);
        var (found, wanted) = (packed.Loss(), wide.Loss());
        Assert.Equal(1, found.item<float>() / wanted.item<float>(), 1e-5);
        found.backward();
        wanted.backward();
        foreach (var (one, other) in a.Trainable.Zip(b.Trainable))
        {
            var (mine, theirs) = (one.Parameter.grad!, other.Parameter.grad!);
            Assert.True(Fixtures.MaxDifference(mine, theirs) < 1e-4 * (1 + theirs.abs().max().item<float>()), one.Name);
        }
        using var guard = no_grad();
        var tuned = packed.Logits();
        using var loaded = packed.SaveAndLoad(a);
        Assert.True(Fixtures.MaxDifference(tuned, packed.Logits(loaded)) < 1e-4);
    }

    [Fact]
    public void What_began_as_a_part_of_the_weight_is_saved_with_twice_the_rank_and_the_same_scale()
    {
        using var scope = NewDisposeScope();
        using var run = new LoraRun();
        using var method = run.Attach(Of("olora") with { Alpha = 8, RankPattern = new Dictionary<string, int> { ["v_proj"] = 3 } });
        method.Save(run.Folder, run.Model, "base");
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(run.Folder, "adapter_config.json")))!;
        Assert.Equal((8, 8 * Math.Sqrt(2), 6), ((int)config["r"]!, (double)config["lora_alpha"]!, (int)config["rank_pattern"]!["v_proj"]!));
        Assert.True((bool)config["init_lora_weights"]!);
        var facts = method.Facts(run.Model);
        Assert.Equal((8, 8, true), (facts.Rank, facts.MaxRank, facts.HasPatterns));
    }

    [Fact]
    public void Pissa_begins_with_the_largest_singular_directions()
    {
        using var scope = NewDisposeScope();
        using var run = new LoraRun();
        var first = new LoraTargets { Modules = ["layers.0.self_attn.q_proj"] };
        using var method = run.Attach(new LoraMethod(first, 4, 8, Initialization: LoraInitialization.Pissa));
        using var guard = no_grad();
        var part = method.Trainable[1].Parameter.matmul(method.Trainable[0].Parameter).mul(2);     // scale B A
        var weight = run.Model.Transformer.Linears.Single(l => l.Name == "model.layers.0.self_attn.q_proj").Matrix.Dense!;
        var values = linalg.svdvals(weight);
        Assert.True(Fixtures.MaxDifference(linalg.svdvals(part).narrow(0, 0, 4), values.narrow(0, 0, 4)) < 1e-4);
        Assert.Equal(values[4].item<float>(), linalg.svdvals(weight.sub(part))[0].item<float>(), 1e-4);
    }

    private static LoraMethod Of(string variant) => Variants.GetValueOrDefault(variant) ?? OfLlamas[variant];
}
