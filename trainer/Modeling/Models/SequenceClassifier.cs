using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A network that gives each text one of some labels.</summary>
public sealed class SequenceClassifier : Transformer
{
    private readonly Body body;
    private readonly ClassifierHead head;

    internal SequenceClassifier(ModelPlan plan, WeightReader reader) : base(reader)
    {
        body = plan.Body(this, plan.Config);
        head = plan.Classifier(this, plan.Config);
        Labels = plan.Config.Labels;
    }

    /// <summary>In the order of the logits.</summary>
    public IReadOnlyList<string> Labels { get; }

    private protected override Body Body => body;

    /// <param name="ids">(N) int64, on the model's device: whole texts.</param>
    /// <returns>(B, labels) float32: a row for each segment of the pass.</returns>
    public Tensor Forward(Tensor ids, Pass pass)
    {
        Begin(ids, pass);
        using var scope = NewDisposeScope();
        return head(ids, body.Run(ids, pass), pass).to_type(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}

/// <summary>Hidden states (N, C) of the tokens (N) to logits (B, labels) of the texts.</summary>
internal delegate Tensor ClassifierHead(Tensor ids, Tensor hidden, Pass pass);

/// <summary>The heads that there are.</summary>
internal static class ClassifierHeads
{
    /// <summary>Of decoders: a linear layer on the last token that is not padding, the only one that has seen the whole text.</summary>
    public static ClassifierHead LastToken(Transformer network, ModelConfig c)
    {
        var score = network.Head("score", c.Labels.Count, c.HiddenSize, bias: false);
        return (ids, hidden, pass) => Adapted.LinearOfTexts(score, hidden.index_select(0, LastTokens(ids, pass, c.PadId)), pass);
    }

    /// <summary>Of BERT: a linear layer on the pooled first token.</summary>
    public static ClassifierHead Pooled(Transformer network, ModelConfig c, Pooler pooler)
    {
        var classifier = network.Head("classifier", c.Labels.Count, c.HiddenSize, bias: true);
        return (_, hidden, pass) => Adapted.LinearOfTexts(classifier, pooler(hidden, pass), pass);
    }

    /// <summary>Of RoBERTa: two linear layers on the first token.</summary>
    public static ClassifierHead FirstToken(Transformer network, ModelConfig c)
    {
        var dense = network.Head("classifier.dense", c.HiddenSize, c.HiddenSize, bias: true);
        var output = network.Head("classifier.out_proj", c.Labels.Count, c.HiddenSize, bias: true);
        return (_, hidden, pass) =>
        {
            var first = hidden.index_select(0, Poolers.FirstTokens(pass));
            return Adapted.LinearOfTexts(output, Adapted.LinearOfTexts(dense, first, pass).tanh(), pass);
        };
    }

    /// <returns>(B) int64.</returns>
    private static Tensor LastTokens(Tensor ids, Pass pass, int? padId)
    {
        var all = ids.cpu().data<long>().ToArray();
        var lasts = pass.Segments.Select(s =>
        {
            var last = s.Length - 1;
            while (last > s.Lead.Tokens && all[s.Start + last] == padId) last--;
            return (long)(s.Start + last);
        });
        return tensor(lasts.ToArray(), device: pass.Device);
    }
}
