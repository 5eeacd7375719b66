using Graft.Modeling;
using Graft.Trainer.Data;
using static TorchSharp.torch;

namespace Graft.Trainer.Training;

/// <summary>Texts with labels as tensors: tokens one after another, and a label for each text.</summary>
internal sealed class LabelBatch : IBatch
{
    private readonly Pass pass;
    private readonly Tensor ids, labels;   // (N) int64, the tokens of leads included; (B) int64

    public LabelBatch(IReadOnlyList<LabeledExample> examples, BaseModel model, LoadedAdapter? adapter = null)
    {
        var lead = model.Transformer.LeadOf(adapter);
        var all = new List<long>();
        var segments = new List<Segment>();
        foreach (var example in examples)
        {
            segments.Add(new Segment(all.Count, lead.Tokens + example.Length, Adapter: adapter, Lead: lead));
            for (var i = 0; i < lead.Tokens; i++) all.Add(0);
            foreach (var id in example.Ids) all.Add(id);
        }
        pass = new Pass(segments, model.Device);
        ids = tensor(all.ToArray(), device: model.Device);
        labels = tensor(examples.Select(e => (long)e.Label).ToArray(), device: model.Device);
    }

    public Tensor LossSum(BaseModel model)
    {
        using var logits = model.Classifier.Forward(ids, pass);     // (B, labels)
        return nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum);
    }

    /// <summary>How many texts' likeliest label is the right one.</summary>
    public int Right(BaseModel model)
    {
        using var scope = NewDisposeScope();
        return (int)model.Classifier.Forward(ids, pass).argmax(1).eq(labels).sum().item<long>();
    }

    public void Dispose()
    {
        pass.Dispose();
        ids.Dispose();
        labels.Dispose();
    }
}
