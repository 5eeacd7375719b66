using System.Net;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Modeling;
using Graft.Server.Engine;
using Graft.Server.Tests.Fakes;
using TorchSharp;

namespace Graft.Server.Tests;

/// <summary>What a real, tiny model answers by itself; computed once, before any server runs.</summary>
public sealed class TinyReference : IAsyncLifetime
{
    internal const int MaxTokens = 40;
    internal static readonly string[] Models = ["base", "all", "rs", "prompt", "encoded", "prefix"];
    internal static readonly string[] Prompts = ["Hello", "a", "What is the capital?", "¿Qué tal, señor? 你好", "zebra zebra zebra"];

    internal TinyModel Model { get; } = new();
    internal AdapterFolders Folders { get; } = new();
    internal TestServer Server { get; private set; } = null!;
    internal Dictionary<(string Model, string Prompt), GenerationResult> Answers { get; } = [];
    internal string BaseDigest { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Copy("lora_llama_all", "all");
        Copy("rslora_llama", "rs");
        Copy("prompt_llama", "prompt");
        Copy("ptuning_mlp_llama", "encoded");
        Copy("prefix_llama", "prefix");
        Compute();
        Server = await TestServer.StartAsync(() => TorchModel.Load(Model.Folder, Precision.F32, maxContext: null), artifacts: Folders.Root);
        foreach (var name in Models[1..])
        {
            var request = new { lora_name = name, lora_path = $"/artifacts/team/{name}" };
            var (status, text) = await Server.PostForTextAsync("/v1/load_lora_adapter", request);
            Assert.True(status == HttpStatusCode.OK, text);
        }
    }

    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        Model.Dispose();
        Folders.Dispose();
    }

    internal void Copy(string fixture, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folders.Root, "team", name)).FullName;
        foreach (var file in Directory.GetFiles(TinyModel.Adapter(fixture))) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    private void Compute()
    {
        using var model = BaseModel.Load(Model.Folder, new LoadOptions(torch.CPU, torch.ScalarType.Float32));
        BaseDigest = model.Digest;
        var generator = new TextGenerator(model);
        foreach (var name in Models)
        {
            using var adapter = name == "base" ? null : LoadedAdapter.Load(model, name, Path.Combine(Folders.Root, "team", name));
            foreach (var prompt in Prompts)
            {
                var ids = model.Tokenizer.Encode(prompt, addSpecialTokens: true);
                Answers[(name, prompt)] = generator.Generate(ids, new SamplingOptions(MaxTokens, TopLogProbs: 2), adapter);
            }
        }
    }
}

/// <summary>The server over a real, tiny model: what it answers is what the model answers.</summary>
public sealed class TinyModelTests(TinyReference reference) : IClassFixture<TinyReference>
{
    private TestServer Server => reference.Server;

    [Fact]
    public void Adapters_change_what_the_model_says()
    {
        foreach (var prompt in TinyReference.Prompts)
        {
            Assert.Equal(TinyReference.Models.Length, TinyReference.Models.Select(m => reference.Answers[(m, prompt)].Text).Distinct().Count());
        }
    }

    [Fact]
    public async Task Requests_for_base_and_adapters_together_get_what_each_gets_alone()
    {
        var asked = reference.Answers.Keys.ToList();

        var answers = await Task.WhenAll(asked.Select(q => Server.PostAsync("/v1/completions", Greedy(q.Model, q.Prompt))));

        Assert.Equal(asked.Select(q => reference.Answers[q].Text), answers.Select(a => (string)a.Body["choices"]![0]!["text"]!));
        Assert.Equal(asked.Select(q => reference.Answers[q].Ids.Count), answers.Select(a => (int)a.Body["usage"]!["completion_tokens"]!));
        Assert.Equal(asked.Select(q => reference.Answers[q].PromptTokens), answers.Select(a => (int)a.Body["usage"]!["prompt_tokens"]!));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Prompts_that_enter_over_several_steps_get_the_same_answer(int promptTokensPerStep)
    {
        await using var server = await TestServer.StartAsync(
            () => TorchModel.Load(reference.Model.Folder, Precision.F32, maxContext: null),
            o => o with { Limits = new EngineLimits(PromptTokensPerStep: promptTokensPerStep) });

        var answers = await Task.WhenAll(TinyReference.Prompts.Select(p => server.CompleteAsync(Greedy("base", p))));

        Assert.Equal(TinyReference.Prompts.Select(p => reference.Answers[("base", p)].Text), answers);
    }

    [Fact]
    public void A_short_prompt_does_not_wait_for_a_long_one()
    {
        using var model = BaseModel.Load(reference.Model.Folder, new LoadOptions(torch.CPU, torch.ScalarType.Float32));
        using var longer = new GenerationSequence(model, [.. Enumerable.Repeat(20, 60)], new SamplingOptions(MaxTokens: 2));
        using var shorter = new GenerationSequence(model, [20, 21, 22], new SamplingOptions(MaxTokens: 2));
        var generator = new TextGenerator(model);

        GenerationSequence[][] steps = [.. Enumerable.Range(0, 10)
            .Select(_ => generator.Step([longer, shorter], promptTokens: 8).Select(o => o.Sequence).ToArray())];

        // The long prompt enters as 5 (beside the short one's 3) and then 8 a step: 5 + 7 * 8 > 60.
        GenerationSequence[][] expected = [[shorter], [shorter], [], [], [], [], [], [longer], [longer], []];
        Assert.Equal(expected, steps);
    }

    [Fact]
    public async Task Streams_concatenate_to_the_whole_answer_even_where_it_is_not_ascii()
    {
        Assert.Contains(reference.Answers.Values, a => a.Text.Any(c => c > 127));
        foreach (var (model, prompt) in reference.Answers.Keys)
        {
            var chunks = await Server.StreamAsync("/v1/completions", Greedy(model, prompt, stream: true));
            Assert.Equal(reference.Answers[(model, prompt)].Text, string.Concat(chunks.Select(c => (string)c["choices"]![0]!["text"]!)));
        }
    }

    [Fact]
    public async Task A_stop_string_ends_the_answer_before_it()
    {
        var whole = reference.Answers[("base", "Hello")].Text;
        var stop = whole.Substring(whole.Length / 2, 3);
        var request = new { prompt = "Hello", temperature = 0, max_tokens = TinyReference.MaxTokens, stop };
        var (_, body) = await Server.PostAsync("/v1/completions", request);

        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], (string)body["choices"]![0]!["text"]!);
        Assert.Equal("stop", (string)body["choices"]![0]!["finish_reason"]!);
    }

    [Fact]
    public async Task The_seed_decides_what_is_drawn()
    {
        Task<string> Draw(long? seed) =>
            Server.CompleteAsync(new { prompt = "Hello", temperature = 1.5, top_p = 0.95, max_tokens = 20, seed });

        Assert.Equal(await Draw(7), await Draw(7));
        Assert.NotEqual(await Draw(7), await Draw(8));
        Assert.NotEqual(await Draw(null), await Draw(null));
    }

    [Fact]
    public async Task Log_probabilities_are_the_models()
    {
        var expected = reference.Answers[("all", "Hello")].LogProbs!;
        var request = new { model = "all", prompt = "Hello", temperature = 0, max_tokens = TinyReference.MaxTokens, logprobs = 2 };
        var (_, body) = await Server.PostAsync("/v1/completions", request);
        var actual = body["choices"]![0]!["logprobs"]!["token_logprobs"]!.AsArray().Select(l => (double)l!).ToArray();

        Assert.Equal(expected.Count, actual.Length);
        for (var i = 0; i < actual.Length; i++) Assert.Equal(expected[i].LogProb, actual[i], 1e-4);
    }

    [Fact]
    public async Task A_chat_is_the_completion_of_what_the_template_writes()
    {
        object[] messages =
        [
            new { role = "system", content = "Be brief." },
            new { role = "user", content = new[] { new { type = "text", text = "Hi" } } },
        ];
        var request = new { model = "rs", messages, temperature = 0, max_completion_tokens = 30 };
        var (status, chat) = await Server.PostAsync("/v1/chat/completions", request);
        Assert.True(status == HttpStatusCode.OK, chat.ToJsonString());
        var (_, completion) = await Server.PostAsync("/v1/completions", new
        {
            model = "rs",
            prompt = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
            temperature = 0,
            max_tokens = 30,
        });

        Assert.Equal("chat.completion", (string)chat["object"]!);
        Assert.Equal("assistant", (string)chat["choices"]![0]!["message"]!["role"]!);
        Assert.Equal((string)completion["choices"]![0]!["text"]!, (string)chat["choices"]![0]!["message"]!["content"]!);
        Assert.Equal(completion["usage"]!.ToJsonString(), chat["usage"]!.ToJsonString());

        var chunks = await Server.StreamAsync("/v1/chat/completions", new
        {
            model = "rs",
            messages,
            temperature = 0,
            max_tokens = 30,
            stream = true,
            stream_options = new { include_usage = true },
            logprobs = true,
            top_logprobs = 1,
        });
        Assert.Equal("""{"role":"assistant","content":""}""", chunks[0]["choices"]![0]!["delta"]!.ToJsonString());
        Assert.All(chunks, c => Assert.Equal("chat.completion.chunk", (string)c["object"]!));
        Assert.Equal(
            (string)chat["choices"]![0]!["message"]!["content"]!,
            string.Concat(chunks.SelectMany(c => c["choices"]!.AsArray()).Select(c => (string?)c!["delta"]!["content"])));
        Assert.Equal(chat["usage"]!.ToJsonString(), chunks[^1]["usage"]!.ToJsonString());
        var token = chunks[1]["choices"]![0]!["logprobs"]!["content"]![0]!;
        Assert.Equal(token["token"]!.ToJsonString(), token["top_logprobs"]![0]!["token"]!.ToJsonString());
    }

    [Fact]
    public async Task Without_a_limit_a_chat_may_fill_the_context()
    {
        var messages = new[] { new { role = "user", content = "Hi" } };
        var (_, body) = await Server.PostAsync("/v1/chat/completions", new { messages, temperature = 0 });

        var usage = body["usage"]!;
        Assert.True((string)body["choices"]![0]!["finish_reason"]! == "stop" || (int)usage["total_tokens"]! == 128, body.ToJsonString());
    }

    [Theory]
    [InlineData("""{"messages": []}""", "messages", "at least one message")]
    [InlineData("""{}""", "messages", "at least one message")]
    [InlineData("""{"messages": [null]}""", "messages[0].role", "is missing")]
    [InlineData("""{"messages": [{"role": "user"}]}""", "messages[0].content", "must be a string")]
    [InlineData("""{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}""", "messages[0].content", "type 'text'")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "max_tokens": 0}""", "max_tokens", "at least 1")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "max_completion_tokens": 128}""", "max_tokens", "length is 128")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "top_logprobs": 2}""", "top_logprobs", "'logprobs': true")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "tools": [{}]}""", "tools", "not supported")]
    public async Task A_chat_that_cannot_be_answered_is_refused(string request, string param, string message)
    {
        var (status, body) = await Server.PostAsync("/v1/chat/completions", request);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(param, (string?)body["error"]!["param"]);
        Assert.Contains(message, (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/completions", $$"""{"prompt": "an {{TinyModel.Beyond}}"}""", "prompt", "a token that the model does not know")]
    [InlineData("/v1/completions", """{"prompt": [384]}""", "prompt", "from 0 to 383")]
    [InlineData("/v1/chat/completions", $$"""{"messages": [{"role": "user", "content": "{{TinyModel.Beyond}}"}]}""", "messages",
        $"holds '{TinyModel.Beyond}'")]
    public async Task A_token_that_the_model_has_no_row_for_is_refused(string path, string request, string param, string message)
    {
        var (status, body) = await Server.PostAsync(path, request);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(param, (string?)body["error"]!["param"]);
        Assert.Contains(message, (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("base", 127, 200, null)]
    [InlineData("prompt", 122, 200, null)]
    [InlineData("prompt", 123, 400, "maximum context length is 123 tokens. The prompt has 123")]
    [InlineData("prefix", 127, 400, "maximum context length is 123 tokens")]
    public async Task Virtual_tokens_take_room_from_the_text(string model, int tokens, int expected, string? message)
    {
        var (status, body) = await Server.PostAsync(
            "/v1/completions", new { model, prompt = Enumerable.Repeat(20, tokens).ToArray(), temperature = 0 });

        Assert.Equal(expected, (int)status);
        if (message is not null) Assert.Contains(message, (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_adapter_whose_files_are_links_within_its_claim_is_loaded()
    {
        reference.Copy("lora_llama_all", "stored");
        var linked = Directory.CreateDirectory(reference.Folders.PathOf("/artifacts/team/linked")).FullName;
        foreach (var file in Directory.GetFiles(reference.Folders.PathOf("/artifacts/team/stored")))
            File.CreateSymbolicLink(Path.Combine(linked, Path.GetFileName(file)), $"../stored/{Path.GetFileName(file)}");

        var (status, text) = await Load("linked");

        Assert.True(status == HttpStatusCode.OK, text);
        Assert.Equal(reference.Answers[("all", "a")].Text, await Server.CompleteAsync(Greedy("linked", "a")));
        await Server.PostForTextAsync("/v1/unload_lora_adapter", new { lora_name = "linked" });
    }

    [Fact]
    public async Task A_manifest_that_names_the_served_base_is_accepted_and_another_base_refused()
    {
        reference.Copy("lora_llama_all", "signed");
        reference.Copy("lora_llama_all", "foreign");
        var foreign = Digests.Of("another base"u8);
        AdapterFolders.WriteManifest(reference.Folders.PathOf("/artifacts/team/signed"), reference.BaseDigest);
        AdapterFolders.WriteManifest(reference.Folders.PathOf("/artifacts/team/foreign"), foreign);

        Assert.Equal(HttpStatusCode.OK, (await Load("signed")).Status);
        var (status, error) = await Load("foreign");

        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Contains(foreign, error, StringComparison.Ordinal);
        Assert.Contains(reference.BaseDigest, error, StringComparison.Ordinal);
        Assert.Equal(reference.Answers[("all", "a")].Text, await Server.CompleteAsync(Greedy("signed", "a")));
        await Server.PostForTextAsync("/v1/unload_lora_adapter", new { lora_name = "signed" });
    }

    [Theory]
    [InlineData("config", "lora_llama_all", "adapter_config.json")]
    [InlineData("weights", "lora_llama_all", "the file is cut short")]
    [InlineData("shape", "lora_llama_all", "base model and configuration ask for [5, 64] (2 tensors)")]
    [InlineData("pickle", "lora_llama_all", "its weights are in adapter_model.bin, a pickle")]
    [InlineData("target", "lora_llama_all", "target_modules: 'q_prj' matches no linear layer of the model. Did you mean 'q_proj'?")]
    [InlineData("base", "lora_gpt2", "target_modules: 'c_attn' matches no linear layer of the model.")]
    [InlineData("positions", "prompt_llama", "which leaves no room for text")]
    [InlineData("classifier", "lora_llama_seqcls", "is an adapter of a classifier, and the model was opened as a LlamaForCausalLM, which "
        + "generates text; ask it for labels with: graft-trainer evaluate")]
    public async Task An_adapter_that_does_not_fit_is_refused_by_its_path_and_the_server_goes_on(
        string what, string fixture, string message)
    {
        var name = $"broken-{what}";
        reference.Copy(fixture, name);
        var weights = reference.Folders.PathOf($"/artifacts/team/{name}", ArtifactLayout.AdapterWeights);
        var config = reference.Folders.PathOf($"/artifacts/team/{name}", ArtifactLayout.AdapterConfig);
        if (what == "config") File.WriteAllText(config, "{");
        if (what == "weights") File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..2000]);
        if (what == "pickle") File.Move(weights, reference.Folders.PathOf($"/artifacts/team/{name}", "adapter_model.bin"));
        if (what is "shape" or "target" or "positions")
        {
            var json = JsonNode.Parse(File.ReadAllText(config))!;
            if (what == "shape") json["r"] = 5;
            if (what == "target") json["target_modules"] = new JsonArray("q_prj");
            if (what == "positions") json["num_virtual_tokens"] = 127;
            File.WriteAllText(config, json.ToJsonString());
        }

        var (status, error) = await Load(name);

        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Contains($"The adapter '/artifacts/team/{name}' is refused", error, StringComparison.Ordinal);
        Assert.Contains(message, (string)JsonNode.Parse(error)!["error"]!["message"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(reference.Folders.Root, error, StringComparison.Ordinal);
        Assert.Equal(reference.Answers[("base", "a")].Text, await Server.CompleteAsync(Greedy("base", "a")));
    }

    private Task<(HttpStatusCode Status, string Text)> Load(string name) =>
        Server.PostForTextAsync("/v1/load_lora_adapter", new { lora_name = name, lora_path = $"/artifacts/team/{name}" });

    private static object Greedy(string model, string prompt, bool stream = false) =>
        new { model, prompt, temperature = 0, max_tokens = TinyReference.MaxTokens, stream };
}
