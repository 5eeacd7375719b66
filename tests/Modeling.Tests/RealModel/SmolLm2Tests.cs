using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.RealModel;

/// <summary>SmolLM2-135M-Instruct from its GGUF file, against transformers on the same dequantised weights.</summary>
[Collection(TorchCollection.Name)]
public sealed class SmolLm2Tests : IDisposable
{
    private const string Name = "smollm2-135m-instruct";
    private BaseModel? model;

    [SkippableFact]
    public void Texts_become_the_references_tokens()
    {
        var (real, expected) = Open();
        foreach (var @case in expected.GetProperty("tokenize").EnumerateArray())
        {
            var text = @case.GetProperty("text").GetString()!;
            Assert.Equal(Ints(@case, "ids"), real.Tokenizer.Encode(text));
            Assert.Equal(text, real.Tokenizer.Decode(real.Tokenizer.Encode(text), skipSpecialTokens: false));
        }
    }

    [SkippableFact]
    public void Conversations_render_and_are_answered_as_by_the_reference()
    {
        var (real, expected) = Open();
        var generator = new TextGenerator(real);
        var (prompts, answers) = (new List<IReadOnlyList<int>>(), new List<int[]>());
        foreach (var chat in expected.GetProperty("chat").EnumerateArray())
        {
            var messages = chat.GetProperty("messages").EnumerateArray()
                .Select(m => new ChatMessage(m.GetProperty("role").GetString()!, m.GetProperty("content").GetString()!)).ToList();
            var text = real.ChatTemplate!.Render(messages, addGenerationPrompt: true);
            Assert.Equal(chat.GetProperty("text").GetString(), text);
            var ids = real.Tokenizer.Encode(text);
            Assert.Equal(Ints(chat, "ids"), ids);
            AssertNextLogits(real, ids, chat.GetProperty("next"));
            if (chat.GetProperty("min_margin").GetDouble() < 0.01) continue;
            prompts.Add(ids);
            answers.Add(Ints(chat, "generated_ids"));
        }
        var found = generator.GenerateBatch(prompts, new SamplingOptions(MaxTokens: 32));
        Assert.Equal(answers, found.Select(f => f.Ids.ToArray()));
        Assert.Equal(answers.Select(ids => real.Tokenizer.Decode(ids, skipSpecialTokens: true)), found.Select(f => f.Text));
    }

    [SkippableFact]
    public void Texts_are_scored_as_by_the_reference()
    {
        var (real, expected) = Open();
        var generator = new TextGenerator(real);
        foreach (var @case in expected.GetProperty("score").EnumerateArray())
        {
            var wanted = @case.GetProperty("token_logprobs").EnumerateArray().Select(p => p.GetDouble()).ToArray();
            var found = generator.Score(Ints(@case, "ids"));
            Assert.Equal(wanted.Length, found.Count);
            Assert.All(wanted.Zip(found), p => Assert.Equal(p.First, p.Second, 1e-3));
        }
    }

    public void Dispose() => model?.Dispose();

    private (BaseModel Model, JsonElement Expected) Open()
    {
        var folder = Fixtures.RealModel(Name);
        model = BaseModel.Load(folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        return (model, JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json"))).RootElement);
    }

    private static void AssertNextLogits(BaseModel model, IReadOnlyList<int> ids, JsonElement next)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var pass = Pass.OfLengths([ids.Count], model.Device);
        var hidden = model.Network.Forward(tensor(ids.Select(i => (long)i).ToArray()), pass);
        var logits = model.Network.Logits(hidden.narrow(0, ids.Count - 1, 1))[0];
        var top = Ints(next, "top5_ids");
        var wanted = next.GetProperty("top5_logits").EnumerateArray().Select(l => l.GetDouble()).ToArray();
        for (var i = 0; i < top.Length; i++) Assert.Equal(wanted[i], logits[top[i]].item<float>(), 1e-3);
        var (mean, deviation) = (logits.mean().item<float>(), logits.std(unbiased: false).item<float>());
        Assert.Equal(next.GetProperty("logit_mean").GetDouble(), mean, 1e-3);
        Assert.Equal(next.GetProperty("logit_std").GetDouble(), deviation, 1e-3);
    }

    private static int[] Ints(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];
}
