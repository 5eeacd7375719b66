using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

[Collection(TorchCollection.Name)]
public sealed class EncoderTests
{
    [Theory]
    [InlineData("bert_seqcls")]
    [InlineData("roberta_seqcls")]
    [InlineData("llama_seqcls")]
    public void Texts_are_classified_each_on_its_own(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Case(name);
        var ids = Enumerable.Range(0, 25).Select(i => 8L + i * 53 % 370).ToArray();
        int[] lengths = [5, 5, 9, 1, 5];
        using var together = Pass.OfLengths(lengths, model.Device);
        var all = model.Classifier.Forward(tensor(ids), together);
        Assert.Equal([5, model.Classifier.Labels.Count], all.shape);
        var at = 0;
        for (var i = 0; i < lengths.Length; at += lengths[i++])
        {
            using var alone = Pass.OfLengths([lengths[i]], model.Device);
            Assert.True(Fixtures.MaxDifference(model.Classifier.Forward(tensor(ids[at..(at + lengths[i])]), alone)[0], all[i]) < 2e-5);
        }
    }

    /// <summary>Positions are counted from the ids, and a padding id in a text is not counted.</summary>
    [Fact]
    public void Roberta_counts_positions_of_real_tokens()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Case("roberta_seqcls");
        var table = model.Transformer.Weights.Single(w => w.Name == "roberta.embeddings.position_embeddings.weight").Weight;
        using var pass = Pass.OfLengths([4, 3], model.Device);
        var ids = tensor(new long[] { 9, 1, 10, 11, 20, 21, 22 });
        var before = model.Classifier.Forward(ids, pass);
        // Of the padding id, and of the first three real tokens: all that these texts use.
        foreach (var unused in new[] { 0, 5, 6 }) table[unused].fill_(100);
        Assert.Equal(0, Fixtures.MaxDifference(before, model.Classifier.Forward(ids, pass)));
        foreach (var used in new[] { 1, 2, 3, 4 })
        {
            using var kept = table[used].clone();
            table[used].fill_(3);
            Assert.True(Fixtures.MaxDifference(before, model.Classifier.Forward(ids, pass)) > 1e-4, $"row {used}");
            table[used].copy_(kept);
        }
    }

    [Fact]
    public void A_decoder_classifies_by_the_last_token_that_is_not_padding()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Case("llama_seqcls");
        using var plain = Pass.OfLengths([3], model.Device);
        using var padded = Pass.OfLengths([5], model.Device);
        var (three, five) = (tensor(new long[] { 9, 100, 200 }), tensor(new long[] { 9, 100, 200, 0, 0 }));
        Assert.True(Fixtures.MaxDifference(model.Classifier.Forward(three, plain), model.Classifier.Forward(five, padded)) < 1e-5);
    }

    /// <summary>As bert-base and roberta-base are published: the body of a model that fills in masked words, with or without a pooler.</summary>
    [Theory]
    [InlineData("bert_seqcls", "BertForMaskedLM", "cls.predictions.bias")]
    [InlineData("bert_seqcls", "BertForPreTraining", "cls.seq_relationship.weight")]
    [InlineData("roberta_seqcls", "RobertaForMaskedLM", "lm_head.dense.weight")]
    public void A_model_that_fills_in_masked_words_embeds_texts(string name, string architecture, string head)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        bool OfBody(string weight) => !weight.StartsWith("classifier", StringComparison.Ordinal);
        using var masked = new ModelVariant(name, $$"""{"architectures":["{{architecture}}"]}""", w => w
            .Where(t => OfBody(t.Name) && !t.Name.Contains("pooler", StringComparison.Ordinal)).Append((head, zeros(4))));
        using var plain = new ModelVariant(name, $$"""{"architectures":["{{architecture.Split("For")[0]}}Model"]}""", w => w
            .Where(t => OfBody(t.Name)).Append(("pooler.dense.weight", zeros(64, 64))).Append(("pooler.dense.bias", zeros(64)))
            .DistinctBy(t => t.Item1.Replace("bert.", "", StringComparison.Ordinal)));
        using var model = masked.Load();
        using var body = plain.Load();
        var ids = tensor(new long[] { 9, 100, 200, 300 });
        using var pass = Pass.OfLengths([4], model.Device);
        var hidden = model.Encoder.Forward(ids, pass);

        Assert.Equal(0, Fixtures.MaxDifference(body.Encoder.Forward(ids, pass), hidden));
        Assert.Equal((false, true), (model.Encoder.HasPooler, body.Encoder.HasPooler));
        Assert.Throws<InvalidOperationException>(() => model.Encoder.Pool(hidden, pass));
        Assert.Equal([1, 64], body.Encoder.Pool(hidden, pass).shape);
    }

    [Fact]
    public void Encoders_refuse_caches_and_texts_beyond_their_positions()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case("roberta_seqcls");
        Assert.Equal(64, model.MaxLength);
        using var cache = new KvCache(model.Config, 8, model.Device, model.DType);
        using var cached = new Pass([new Segment(0, 2, cache)], model.Device);
        string Refusal(Tensor ids, Pass pass) => Assert.Throws<ArgumentException>(() => model.Classifier.Forward(ids, pass)).Message;
        Assert.Contains("cache", Refusal(tensor(new long[] { 9, 10 }), cached), StringComparison.Ordinal);
        using var @long = Pass.OfLengths([65], model.Device);
        Assert.Contains("64 positions", Refusal(full(65, 9L), @long), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Pass.OfLengths([3], model.Device, tensor(new long[] { 0, 1 })));
    }

    /// <summary>Layers of any orientation, with biases, and of encoders too.</summary>
    [Theory]
    [InlineData("gpt2", 8, "transformer.h.0.attn.c_attn", 192, 64)]
    [InlineData("bert_seqcls", 13, "bert.pooler.dense", 64, 64)]
    [InlineData("roberta_seqcls", 12, "roberta.encoder.layer.1.intermediate.dense", 128, 64)]
    [InlineData("phi3", 8, "model.layers.1.mlp.gate_up_proj", 256, 64)]
    public void Adapters_reach_every_linear_layer(string name, int count, string one, int outFeatures, int inFeatures)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case(name);
        Assert.Equal(count, model.Transformer.Linears.Count);
        var site = model.Transformer.Linears.Single(l => l.Name == one);
        Assert.Equal((outFeatures, inFeatures), (site.OutFeatures, site.InFeatures));
        var ids = tensor(new long[] { 9, 100, 200, 300 });
        using var pass = Pass.OfLengths([4], model.Device);
        Tensor Run() =>
            model.Config.Task == ModelTask.Classification ? model.Classifier.Forward(ids, pass) : model.Network.Forward(ids, pass);
        Tensor before;
        using (no_grad()) before = Run();
        var everywhere = new LoraTargets { AllLinear = new AllLinear() };
        using var method = TuningMethods.Create(new Method { Lora = new LoraMethod(everywhere, Rank: 2) });
        method.Attach(model, new Generator(1));
        Assert.True(Fixtures.MaxDifference(before, Run()) < 1e-5);
        using (no_grad())
            foreach (var (_, parameter) in method.Trainable) parameter.add_(0.05);
        Run().square().sum().backward();
        Assert.All(method.Trainable, t => Assert.True(t.Parameter.grad!.abs().max().item<float>() > 0, t.Name));
    }
}
