using System.Diagnostics;
using Graft.Modeling;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Graft.Trainer.Bench;

/// <summary>
/// What one would write first in TorchSharp: modules, a cache of the whole length for the whole batch, the operators that there are, no
/// gradients. It has the weights of the model that it is compared with, and gives the same tokens.
/// </summary>
internal sealed class PlainModel : IDisposable
{
    private readonly ModelConfig config;
    private readonly Dictionary<string, Tensor> weights;
    private readonly Embedding embedding;
    private readonly Linear head;
    private readonly Block[] blocks;
    private readonly Tensor norm;
    private readonly ScalarType dtype;
    private readonly List<nn.Module> modules = [];

    public PlainModel(BaseModel model)
    {
        (config, dtype) = (model.Config, model.DType);
        weights = model.Network.Weights.ToDictionary(w => w.Name, w => w.Weight);
        embedding = nn.Embedding(config.VocabularySize, config.HiddenSize, dtype: dtype);
        embedding.weight = new Parameter(weights["model.embed_tokens.weight"].detach(), requires_grad: false);
        modules.Add(embedding);
        head = Layer("lm_head");
        norm = weights["model.norm.weight"];
        blocks = [.. Enumerable.Range(0, config.Layers).Select(i => new Block(this, $"model.layers.{i}."))];
    }

    // A parameter takes the tensor that it is given; detach makes another one of the same memory.
    private Linear Layer(string name)
    {
        var weight = weights[name + ".weight"];
        var layer = nn.Linear(weight.size(1), weight.size(0), hasBias: false, dtype: dtype);
        modules.Add(layer);
        layer.weight = new Parameter(weight.detach(), requires_grad: false);
        return layer;
    }

    /// <summary>Greedy, all prompts of one length.</summary>
    /// <returns>Seconds of <paramref name="tokens"/> tokens after the first.</returns>
    public double Decode(List<int[]> prompts, int tokens)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var length = prompts[0].Length;
        var caches = blocks.Select(_ => (Key: Cache(), Value: Cache())).ToArray();
        var ids = tensor(prompts.SelectMany(p => p.Select(i => (long)i)).ToArray()).view(prompts.Count, length);
        ids = Next(ids, caches, 0);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < tokens; i++)
        {
            using var step = NewDisposeScope();
            ids = Next(ids, caches, length + i).MoveToOuterDisposeScope();
        }
        return Stopwatch.GetElapsedTime(start).TotalSeconds;

        Tensor Cache() => zeros([prompts.Count, config.KvHeads, length + tokens + 1, config.HeadSize], dtype);
    }

    /// <param name="ids">(B, T).</param>
    /// <returns>(B, 1).</returns>
    private Tensor Next(Tensor ids, (Tensor Key, Tensor Value)[] caches, int past)
    {
        var x = embedding.forward(ids);                                                          // (B, T, C)
        var (cos, sin) = Angles(past, (int)ids.size(1));
        for (var i = 0; i < blocks.Length; i++) x = blocks[i].Forward(x, cos, sin, caches[i], past);
        var logits = head.forward(Norm(x[.., ^1..], norm)).to_type(ScalarType.Float32);          // (B, 1, V)
        return logits.argmax(-1);
    }

    private (Tensor Cos, Tensor Sin) Angles(int past, int tokens)
    {
        var frequencies = pow(tensor((float)BenchModel.RopeTheta),
            arange(0, config.HeadSize, 2, ScalarType.Float32).div((double)config.HeadSize)).reciprocal();
        var angles = arange(past, past + tokens, ScalarType.Float32).unsqueeze(1).mul(frequencies);   // (T, D / 2)
        return (angles.cos().to_type(dtype), angles.sin().to_type(dtype));
    }

    private Tensor Norm(Tensor x, Tensor weight)
    {
        var wide = x.to_type(ScalarType.Float32);
        return wide.mul(wide.square().mean([-1], keepdim: true).add(config.NormEpsilon).rsqrt()).to_type(x.dtype).mul(weight);
    }

    public void Dispose()
    {
        foreach (var module in modules) module.Dispose();
    }

    private sealed class Block(PlainModel model, string prefix)
    {
        private readonly Tensor attentionNorm = model.weights[prefix + "input_layernorm.weight"];
        private readonly Tensor feedForwardNorm = model.weights[prefix + "post_attention_layernorm.weight"];
        private readonly Linear query = model.Layer(prefix + "self_attn.q_proj");
        private readonly Linear key = model.Layer(prefix + "self_attn.k_proj");
        private readonly Linear value = model.Layer(prefix + "self_attn.v_proj");
        private readonly Linear output = model.Layer(prefix + "self_attn.o_proj");
        private readonly Linear gate = model.Layer(prefix + "mlp.gate_proj");
        private readonly Linear up = model.Layer(prefix + "mlp.up_proj");
        private readonly Linear down = model.Layer(prefix + "mlp.down_proj");

        public Tensor Forward(Tensor x, Tensor cos, Tensor sin, (Tensor Key, Tensor Value) cache, int past)
        {
            var normed = model.Norm(x, attentionNorm);
            long batch = x.size(0), tokens = x.size(1);
            var q = Rotate(Heads(query.forward(normed)), cos, sin);                              // (B, H, T, D)
            cache.Key.narrow(2, past, tokens).copy_(Rotate(Heads(key.forward(normed)), cos, sin));
            cache.Value.narrow(2, past, tokens).copy_(Heads(value.forward(normed)));
            var attended = nn.functional.scaled_dot_product_attention(
                q, cache.Key.narrow(2, 0, past + tokens), cache.Value.narrow(2, 0, past + tokens), is_casual: tokens > 1);
            x = x + output.forward(attended.transpose(1, 2).reshape(batch, tokens, -1));
            normed = model.Norm(x, feedForwardNorm);
            return x + down.forward(nn.functional.silu(gate.forward(normed)) * up.forward(normed));

            Tensor Heads(Tensor flat) => flat.view(batch, tokens, -1, model.config.HeadSize).transpose(1, 2);
        }

        private static Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
        {
            var half = x.size(-1) / 2;
            var (a, b) = (x.narrow(-1, 0, half), x.narrow(-1, half, half));
            return cat([a * cos - b * sin, b * cos + a * sin], -1);
        }
    }
}
