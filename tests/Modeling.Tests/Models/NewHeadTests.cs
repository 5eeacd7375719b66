using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Models;

/// <summary>Any base opened as a classifier of labels that it may have no head for.</summary>
[Collection(TorchCollection.Name)]
public sealed class NewHeadTests
{
    private static readonly string[] Two = ["no", "yes"], Three = ["a", "b", "c"];

    private static BaseModel Open(string name, string[] labels, long seed = 1) =>
        BaseModel.Load(Fixtures.Path("models", name), new LoadOptions(
            Fixtures.Cpu, ScalarType.Float32, Seed: seed, RequireTokenizer: false, Task: ModelTask.Classification, Labels: labels));

    [Theory]
    [InlineData("llama", "LlamaForSequenceClassification", "score")]
    [InlineData("gpt2", "GPT2ForSequenceClassification", "score")]
    [InlineData("phi3", "Phi3ForSequenceClassification", "score")]
    [InlineData("llama_seqcls", "LlamaForSequenceClassification", "score")]
    [InlineData("bert_seqcls", "BertForSequenceClassification", "classifier")]
    public void A_head_that_is_lacking_or_for_other_labels_is_drawn_by_the_seed(string name, string architecture, string layer)
    {
        using var scope = NewDisposeScope();
        using var model = Open(name, Two);
        using var same = Open(name, Two);
        using var other = Open(name, Two, seed: 2);

        Assert.Equal([layer], model.NewLayers);
        Assert.Equal((architecture, ModelTask.Classification), (model.Config.Architecture, model.Config.Task));
        Assert.Equal(Two, model.Classifier.Labels);
        Assert.InRange(Head(model).std().item<float>(), 0.015, 0.025);
        Assert.Equal(0, Fixtures.MaxDifference(Head(model), Head(same)));
        Assert.True(Fixtures.MaxDifference(Head(model), Head(other)) > 1e-3);
        Assert.Equal([1, 2], Answer(model).shape);
    }

    [Fact]
    public void A_head_of_two_layers_is_new_whole()
    {
        using var model = Open("roberta_seqcls", Three);
        Assert.Equal(["classifier.dense", "classifier.out_proj"], model.NewLayers);
    }

    [Fact]
    public void A_head_for_as_many_labels_that_have_no_names_is_kept_and_gets_them()
    {
        using var scope = NewDisposeScope();
        using var model = Open("bert_seqcls", Three);
        using var original = Fixtures.Case("bert_seqcls");
        Assert.Empty(model.NewLayers);
        Assert.Equal(Three, model.Config.Labels);
        Assert.Equal(0, Fixtures.MaxDifference(Answer(original), Answer(model)));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("bert_seqcls")]
    public void A_new_classifier_is_written_as_a_model_that_opens_as_one(string name)
    {
        using var scope = NewDisposeScope();
        using var folder = new Adapters.TempDirectory();
        using var model = Open(name, Two);
        ModelWriter.Save(model, folder.Path, ScalarType.Float32);

        using var again = BaseModel.Load(
            folder.Path, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false, Task: null));

        Assert.Equal((model.Config.Architecture, ModelTask.Classification), (again.Config.Architecture, again.Config.Task));
        Assert.Equal(Two, again.Config.Labels);
        Assert.Equal(0, Fixtures.MaxDifference(Answer(model), Answer(again)));
    }

    private static Tensor Head(BaseModel model) => model.Transformer.Heads[^1].Weight.Dense!;

    private static Tensor Answer(BaseModel model)
    {
        using var guard = no_grad();
        using var pass = Pass.OfLengths([4], model.Device);
        return model.Classifier.Forward(tensor(new long[] { 9, 100, 200, 30 }), pass);
    }
}
