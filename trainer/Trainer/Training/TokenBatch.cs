using Graft.Modeling;
using Graft.Trainer.Data;
using static TorchSharp.torch;

namespace Graft.Trainer.Training;

/// <summary>Examples as tensors: tokens one after another, and which position predicts which supervised token.</summary>
internal sealed class TokenBatch : IBatch
{
    public TokenBatch(IReadOnlyList<Example> examples, BaseModel model, LoadedAdapter? adapter = null)
    {
        var (lead, device) = (model.Transformer.LeadOf(adapter), model.Device);
        Tokens = examples.Sum(e => lead.Tokens + e.Length);
        Supervised = examples.Sum(e => e.SupervisedBehind(lead));
        var ids = new long[Tokens];
        var positions = new long[Supervised];
        var targets = new long[Supervised];
        var segments = new Segment[examples.Count];
        int start = 0, next = 0;
        for (var e = 0; e < examples.Count; e++)
        {
            var example = examples[e];
            segments[e] = new Segment(start, lead.Tokens + example.Length, Adapter: adapter, Lead: lead);
            start += lead.Tokens;
            for (var t = 0; t < example.Length; t++)
            {
                ids[start + t] = example.Ids[t];
                if (!example.Counts(t, lead)) continue;
                positions[next] = start + t - 1;
                targets[next++] = example.Ids[t];
            }
            start += example.Length;
        }
        Pass = new Pass(segments, device);
        Ids = tensor(ids, device: device);
        Positions = tensor(positions, device: device);
        Targets = tensor(targets, device: device);
    }

    /// <summary>N, the tokens of leads included.</summary>
    public int Tokens { get; }

    /// <summary>M.</summary>
    public int Supervised { get; }
    public Pass Pass { get; }

    /// <summary>(N) int64.</summary>
    public Tensor Ids { get; }

    /// <summary>(M) int64: the position before each supervised token.</summary>
    public Tensor Positions { get; }

    /// <summary>(M) int64: the supervised tokens.</summary>
    public Tensor Targets { get; }

    public void Dispose()
    {
        Pass.Dispose();
        Ids.Dispose();
        Positions.Dispose();
        Targets.Dispose();
    }

    public Tensor LossSum(BaseModel model)
    {
        var network = model.Network;
        using var hidden = network.Forward(Ids, Pass);              // (N, C)
        using var predicting = hidden.index_select(0, Positions);   // (M, C)
        return network.LossSum(predicting, Targets, Pass);
    }
}
