using Graft.Contract;
using Graft.Modeling.Adapters;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Merging;

/// <summary>Adapters that no file holds, and what a model answers with them.</summary>
internal static class TestAdapters
{
    public static LoadedAdapter Of(BaseModel model, Attachment attachment) => new(attachment)
    {
        Name = "test",
        Folder = "test",
        Bytes = 0,
        Facts = new AdapterFacts { Method = "lora", Dtype = "F32", TrainableParameters = 0, BaseDigest = model.Digest },
    };

    /// <summary>A LoRA with values by chance on all linear layers, heads included if wanted.</summary>
    public static LoadedAdapter Lora(BaseModel model, ulong seed, bool heads = false)
    {
        using var rng = new Generator(seed);
        var attachment = new Attachment();
        foreach (var site in heads ? LoraModules.AllLinears(model.Transformer) : model.Transformer.Linears)
            attachment.Add(site, new LoraLayer(Draw(rng, 2, site.InFeatures), Draw(rng, site.OutFeatures, 2), 1.5));
        return Of(model, attachment);
    }

    /// <summary>Another table of embeddings, and nothing else.</summary>
    public static LoadedAdapter Table(BaseModel model, ulong seed)
    {
        using var rng = new Generator(seed);
        var table = model.Transformer.Embedding!.Table;
        return Of(model, new Attachment { Embedding = new AddedTable(Draw(rng, table.Rows, table.Columns)) });
    }

    /// <returns>(positions, vocabulary), or (1, labels).</returns>
    public static Tensor Logits(BaseModel model, LoadedAdapter? adapter = null)
    {
        using var guard = no_grad();
        var ids = tensor(new long[] { 9, 100, 20, 33, 57, 120, 8, 77, 41, 15, 250, 13 });
        using var pass = new Pass([new Segment(0, 12, null, adapter)], model.Device);
        return model.Transformer is SequenceClassifier classifier ? classifier.Forward(ids, pass)
            : model.Network.Logits(model.Network.Forward(ids, pass), adapter);
    }

    /// <summary>All weights by name, and their bytes.</summary>
    public static Dictionary<string, byte[]> Bytes(BaseModel model) =>
        model.Transformer.Weights.ToDictionary(w => w.Name, w => w.Weight.cpu().contiguous().bytes.ToArray());

    private static Tensor Draw(Generator rng, params long[] shape)
    {
        using var scope = NewDisposeScope();
        return empty(shape, ScalarType.Float32).normal_(0, 0.05, rng).DetachFromDisposeScope();
    }

    private sealed class AddedTable(Tensor added) : EmbeddingAdapter
    {
        public override Tensor Gather(Tensor ids, WeightMatrix table) => table.Gather(ids).add(added.index_select(0, ids));

        public override Tensor Merge(Tensor table) => table.add(added);

        public override void Dispose() => added.Dispose();
    }
}
