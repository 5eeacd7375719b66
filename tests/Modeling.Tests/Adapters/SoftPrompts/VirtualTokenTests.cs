using Graft.Contract;
using Graft.Modeling.Tests.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.SoftPrompts;

/// <summary>Where virtual tokens stand, in every architecture, with a cache and without.</summary>
[Collection(TorchCollection.Name)]
public sealed class VirtualTokenTests : IDisposable
{
    private static readonly string[] Decoders = ["llama3_rope", "mistral", "qwen3", "gemma2", "gemma3_text", "phi3", "gpt2"];

    private readonly string folder = Directory.CreateTempSubdirectory("graft-").FullName;

    public static TheoryData<string> EveryModel => [.. Decoders, "bert_seqcls", "roberta_seqcls", "llama_seqcls"];

    public static TheoryData<string, string> EveryDecoder
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var name in Decoders)
                foreach (var method in new[] { "prompt", "prefix" }) data.Add(name, method);
            return data;
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(EveryModel))]
    public void Virtual_tokens_with_the_vectors_of_tokens_act_as_those_tokens(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Case(name);
        long[] first = [20, 131, 77, 300, 45, 9], text = [111, 54, 203, 17, 8, 99, 180, 240];
        var whole = SoftPromptCase.Logits(model, [[.. first, .. text], [.. first, .. text[..3]]], null);
        using var method = SoftPromptCase.Attached(model, SoftPromptCase.Prompt(first.Length));
        method.Trainable[0].Parameter.copy_(model.Transformer.VectorsOf(tensor(first)));
        var found = SoftPromptCase.Logits(model, [text, text[..3]], null);
        // Of a text only the rows behind the first tokens; a classifier has one for each text.
        long[] rows = model.Config.Task == ModelTask.Classification ? [0, 1]
            : [.. Enumerable.Range(6, 8).Concat(Enumerable.Range(20, 3)).Select(i => (long)i)];
        Assert.InRange(Fixtures.MaxDifference(whole.index_select(0, tensor(rows)), found), 0, 2e-5);
    }

    [Theory]
    [MemberData(nameof(EveryDecoder))]
    public void Cached_answers_are_those_of_whole_texts(string name, string kind)
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Case(name);
        using var adapter = Saved(model, kind, 6);
        Agrees(model, adapter, [20, 131, 77, 300, 45], 14);
    }

    [Theory]
    [InlineData("prompt")]
    [InlineData("prefix")]
    public void A_text_that_outgrows_its_positions_keeps_what_stands_before_it(string kind)
    {
        using var scope = NewDisposeScope();
        using var variant = new ModelVariant(
            "llama", """{"max_position_embeddings":16,"rope_scaling":{"rope_type":"dynamic","factor":4}}""");
        using var model = variant.Load();
        using var adapter = Saved(model, kind, 6);
        Agrees(model, adapter, [20, 131, 77, 300, 45], 14);
        Agrees(model, adapter, [.. Enumerable.Range(30, 18)], 3);
    }

    [Theory]
    [InlineData("prompt")]
    [InlineData("prefix")]
    public void Scores_are_those_of_the_text_behind_its_virtual_tokens(string kind)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Llama();
        using var adapter = Saved(model, kind, 4);
        long[] text = [20, 131, 77, 300];
        var wanted = nn.functional.log_softmax(SoftPromptCase.Logits(model, [text], adapter), 1);
        var scores = new TextGenerator(model).Score([.. text.Select(i => (int)i)], adapter);
        Assert.Equal(3, scores.Count);
        for (var i = 0; i < scores.Count; i++) Assert.Equal(wanted[i, text[i + 1]].item<float>(), scores[i], 1e-4);
    }

    [Theory]
    [InlineData("bert_seqcls", "prefix")]
    [InlineData("roberta_seqcls", "prefix")]
    [InlineData("roberta_seqcls", "prompt")]
    [InlineData("llama_seqcls", "prompt")]
    public void Classifiers_read_a_text_behind_virtual_tokens_whatever_stands_beside_it(string name, string kind)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = Fixtures.Case(name);
        using var adapter = Saved(model, kind, 5);
        long[] one = [20, 131, 77, 300, 45], other = [9, 8, 200];
        var together = SoftPromptCase.Logits(model, [(one, adapter), (other, null), (other, adapter)]);
        Assert.InRange(Fixtures.MaxDifference(together.narrow(0, 0, 1), SoftPromptCase.Logits(model, [one], adapter)), 0, 1e-5);
        Assert.InRange(Fixtures.MaxDifference(together.narrow(0, 1, 1), SoftPromptCase.Logits(model, [other], null)), 0, 1e-5);
        Assert.InRange(Fixtures.MaxDifference(together.narrow(0, 2, 1), SoftPromptCase.Logits(model, [other], adapter)), 0, 1e-5);
    }

    /// <summary>A served adapter of drawn numbers.</summary>
    private LoadedAdapter Saved(BaseModel model, string kind, int tokens)
    {
        using var method = SoftPromptCase.Attached(
            model, kind == "prompt" ? SoftPromptCase.Prompt(tokens) : new Method { PrefixTuning = new PrefixTuningMethod(tokens) });
        method.Save(folder, model, "base");
        model.Transformer.Tuning = null;
        return LoadedAdapter.Load(model, kind, folder);
    }

    /// <summary>Greedy answers with a cache, in one part and by parts, are those of whole texts computed anew for each token.</summary>
    private static void Agrees(BaseModel model, LoadedAdapter adapter, int[] prompt, int count)
    {
        using var guard = no_grad();
        var text = prompt.Select(i => (long)i).ToList();
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            text.Add(SoftPromptCase.Logits(model, [[.. text]], adapter)[text.Count - 1].argmax().item<long>());
        }
        var wanted = text.Skip(prompt.Length).Select(i => (int)i).ToList();
        foreach (var promptTokens in new[] { int.MaxValue, 2 })
        {
            using var sequence = new GenerationSequence(model, prompt, new SamplingOptions(count, IgnoreEndOfGeneration: true), adapter);
            using var beside = new GenerationSequence(model, [9, 8], new SamplingOptions(count, IgnoreEndOfGeneration: true));
            var generator = new TextGenerator(model);
            while (sequence.Finish is null) generator.Step([sequence, beside], promptTokens);
            Assert.Equal(wanted, sequence.GeneratedIds);
        }
    }
}
