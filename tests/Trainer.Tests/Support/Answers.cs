using Graft.Modeling;
using Graft.Modeling.Tests;
using static TorchSharp.torch;

namespace Graft.Trainer.Tests.Support;

/// <summary>
/// Logits of the texts of a case, a tensor for each: (tokens, V) of a decoder, the virtual ones first; (labels) of a classifier.
/// </summary>
internal static class Answers
{
    /// <summary>All texts by one adapter, or by what the model is.</summary>
    public static IReadOnlyList<Tensor> Of(BaseModel model, LoadedAdapter? adapter, GoldenTensors texts) =>
        Mixed(model, [.. Enumerable.Repeat(adapter, (int)texts["input_ids"].size(0))], texts);

    /// <summary>Each text by its own adapter, in one pass.</summary>
    public static IReadOnlyList<Tensor> Mixed(BaseModel model, IReadOnlyList<LoadedAdapter?> adapters, GoldenTensors texts)
    {
        var (real, lengths) = Fixtures.Rows(texts["input_ids"], texts["attention_mask"]);
        var (ids, segments, at) = (new List<long>(), new List<Segment>(), 0);
        for (var row = 0; row < lengths.Length; row++)
        {
            var lead = model.Transformer.LeadOf(adapters[row]);
            segments.Add(new Segment(ids.Count, lead.Tokens + lengths[row], Adapter: adapters[row], Lead: lead));
            ids.AddRange(Enumerable.Repeat(0L, lead.Tokens));
            ids.AddRange(real.Skip(at).Take(lengths[row]));
            at += lengths[row];
        }
        using var pass = new Pass(segments, model.Device);
        if (model.Config.Task == ModelTask.Classification)
        {
            var labels = model.Classifier.Forward(tensor(ids), pass);
            return [.. segments.Select((_, row) => labels[row])];
        }
        var logits = model.Network.Logits(model.Network.Forward(tensor(ids), pass));
        return [.. segments.Select(s => logits.narrow(0, s.Start, s.Length))];
    }

    /// <summary>The reference's answer without what it computed for padding, which stands behind the text.</summary>
    public static Tensor Cut(Tensor padded, Tensor found) => padded.dim() < 2 ? padded : padded.narrow(0, 0, found.size(0));
}
