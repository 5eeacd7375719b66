using System.Text.Json;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.SoftPrompts;

/// <summary>A run of PEFT with virtual tokens.</summary>
internal sealed record SoftPromptCase(string Name)
{
    public static TheoryData<string> Names =>
        ["prompt_llama", "prompt_bert_seqcls", "ptuning_mlp_llama", "ptuning_lstm_llama", "prefix_llama", "prefix_proj_llama"];

    public static TheoryData<string> Generating =>
        ["prompt_llama", "ptuning_mlp_llama", "ptuning_lstm_llama", "prefix_llama", "prefix_proj_llama"];

    public bool Classifies => Name.EndsWith("seqcls", StringComparison.Ordinal);
    public string Folder(string state) => Fixtures.Path("peft", Name, state);
    public JsonElement Expected => Fixtures.Json("peft", Name, "expected.json");
    public JsonElement Step(int index) => Fixtures.Json("peft", Name, "train.json").GetProperty("steps")[index];
    public SafetensorsFile Tensors(string file) => SafetensorsFile.Open(Fixtures.Path("peft", Name, file));
    public BaseModel Base() => Fixtures.Case(Classifies ? "bert_seqcls" : "llama");

    /// <summary>What a trainable tensor is called in PEFT's memory.</summary>
    public static string InMemory(string name) => name switch
    {
        "prompt_embeddings" => "prompt_encoder.default.embedding.weight",
        _ when name.StartsWith("prompt_encoder.", StringComparison.Ordinal) =>
            name.Replace("prompt_encoder.", "prompt_encoder.default.", StringComparison.Ordinal),
        _ => name[..name.LastIndexOf('.')] + ".modules_to_save.default" + name[name.LastIndexOf('.')..],
    };

    public Method Method()
    {
        var config = Fixtures.Json("peft", Name, "adapter_init", "adapter_config.json");
        var tokens = config.GetProperty("num_virtual_tokens").GetInt32();
        int Hidden() => config.GetProperty("encoder_hidden_size").GetInt32();
        return config.GetProperty("peft_type").GetString() switch
        {
            "PROMPT_TUNING" => Prompt(tokens),
            "P_TUNING" when Name.Contains("lstm", StringComparison.Ordinal) =>
                new Method { PTuning = new PTuningMethod(tokens, new PTuningEncoder { Lstm = new LstmEncoder(Hidden()) }) },
            "P_TUNING" => new Method { PTuning = new PTuningMethod(tokens, new PTuningEncoder { Mlp = new MlpEncoder(Hidden()) }) },
            _ => new Method
            {
                PrefixTuning = new PrefixTuningMethod(
                    tokens, config.GetProperty("prefix_projection").GetBoolean() ? new PrefixProjection(Hidden()) : null),
            },
        };
    }

    /// <summary>The method, attached, with PEFT's values.</summary>
    /// <param name="state"><c>init</c> or <c>final</c>.</param>
    public TuningMethod Attached(BaseModel model, string state)
    {
        var method = TuningMethods.Create(Method());
        method.Attach(model, new Generator(0));
        var raw = Fixtures.Path("peft", Name, $"trainable_{state}.safetensors");
        using var file = SafetensorsFile.Open(
            File.Exists(raw) ? raw : Path.Combine(Folder($"adapter_{state}"), "adapter_model.safetensors"));
        using var guard = no_grad();
        Assert.Equal(file.Tensors.Keys.Order(StringComparer.Ordinal),
            method.Trainable.Select(t => File.Exists(raw) ? InMemory(t.Name) : t.Name).Order(StringComparer.Ordinal));
        foreach (var (name, parameter) in method.Trainable) parameter.copy_(file.Map(File.Exists(raw) ? InMemory(name) : name));
        return method;
    }

    public static Method Prompt(int tokens) =>
        new() { PromptTuning = new PromptTuningMethod(tokens, new PromptInitialization { Random = new RandomInitialization() }) };

    public static TuningMethod Attached(BaseModel model, Method options, ulong seed = 3)
    {
        var method = TuningMethods.Create(options);
        method.Attach(model, new Generator(seed));
        return method;
    }

    /// <summary>Logits of the texts' own tokens, or of the texts.</summary>
    public static Tensor Logits(BaseModel model, IReadOnlyList<long[]> texts, LoadedAdapter? adapter) =>
        Logits(model, [.. texts.Select(t => (t, adapter))]);

    /// <summary>The same where each text has an adapter of its own.</summary>
    public static Tensor Logits(BaseModel model, IReadOnlyList<(long[] Ids, LoadedAdapter? Adapter)> texts)
    {
        var (ids, segments, rows) = (new List<long>(), new List<Segment>(), new List<long>());
        foreach (var (text, adapter) in texts)
        {
            var lead = model.Transformer.LeadOf(adapter);
            segments.Add(new Segment(ids.Count, lead.Tokens + text.Length, null, adapter, lead));
            ids.AddRange(Enumerable.Repeat(0L, lead.Tokens));
            rows.AddRange(Enumerable.Range(ids.Count, text.Length).Select(i => (long)i));
            ids.AddRange(text);
        }
        using var pass = new Pass(segments, model.Device);
        return model.Config.Task == ModelTask.Classification ? model.Classifier.Forward(tensor(ids), pass)
            : model.Network.Logits(model.Network.Forward(tensor(ids), pass).index_select(0, tensor(rows)));
    }

    /// <summary>The rows of a padded batch without the padding.</summary>
    public static List<long[]> Texts(Tensor ids, Tensor mask) =>
        [.. Enumerable.Range(0, (int)ids.size(0)).Select(r => ids[r].data<long>().Take((int)mask[r].sum().item<long>()).ToArray())];

    public static Tensor Longs(JsonElement step, string field)
    {
        var rows = step.GetProperty(field).EnumerateArray().Select(r => r.EnumerateArray().Select(v => v.GetInt64()).ToArray()).ToArray();
        return tensor(rows.SelectMany(r => r).ToArray()).view(rows.Length, rows[0].Length);
    }
}
