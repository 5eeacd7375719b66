using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Modeling.Adapters;
using Graft.Modeling.Files;
using Graft.Modeling.Models;
using Graft.Modeling.Tokenizers;
using Graft.Modeling.Tokenizers.Gguf;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Writes a whole model as a folder in Hugging Face layout.</summary>
public static class ModelWriter
{
    private static readonly JsonSerializerOptions Readable =
        new() { WriteIndented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Files of the source folder that belong to a model and say nothing of its weights.</summary>
    private static readonly string[] Companions =
    [
        TokenizerFiles.Tokenizer, TokenizerFiles.Config, TokenizerFiles.Template, "special_tokens_map.json", "added_tokens.json",
        "tokenizer.model", "vocab.json", "merges.txt", "vocab.txt", "generation_config.json",
    ];

    /// <summary>
    /// <c>config.json</c>, the weights (in shards where they are many) and the tokenizer's files, into an existing folder.
    /// </summary>
    /// <param name="dtype">Element type of the weights in the file.</param>
    /// <exception cref="IOException">The disk is full, or something else of the file system.</exception>
    public static void Save(BaseModel model, string folder, ScalarType dtype) =>
        Save(model, folder, dtype, merged: null, SafetensorsShards.DefaultBytes);

    /// <param name="merged">What some of the weights become.</param>
    internal static void Save(BaseModel model, string folder, ScalarType dtype, MergedWeights? merged, long maxShardBytes)
    {
        var outputs = Outputs(model, dtype, merged).ToList();
        SafetensorsShards.Write(folder, outputs, maxShardBytes);
        var config = Configuration(model, dtype);
        if (model.Config.TiedEmbeddings && outputs.Any(o => o.Name == MergedWeights.Head)) config["tie_word_embeddings"] = false;
        File.WriteAllText(Path.Combine(folder, ModelConfigReader.FileName), config.ToJsonString(Readable) + "\n");
        if (Directory.Exists(model.Path))
        {
            foreach (var name in Companions)
                if (Path.Combine(model.Path, name) is var source && File.Exists(source)) File.Copy(source, Path.Combine(folder, name), overwrite: true);
        }
        else
        {
            using var file = GgufFile.Open(model.Path);
            TokenizerWriter.Write(file, folder);
        }
    }

    private static IEnumerable<SafetensorsOutput> Outputs(BaseModel model, ScalarType dtype, MergedWeights? merged)
    {
        SafetensorsOutput Of(string name, IReadOnlyList<long> shape, Func<Tensor> make) =>
            new(name, dtype, shape, merged?.Changes(name) == true ? () => merged.Make(name) : make);
        foreach (var (name, weight) in model.Transformer.Weights) yield return Of(name, weight.shape, () => weight);
        foreach (var (name, matrix, isTurned) in model.Transformer.Packed)
            yield return Of(name, isTurned ? [matrix.Columns, matrix.Rows] : [matrix.Rows, matrix.Columns],
                () => isTurned ? matrix.Widened().t() : matrix.Widened());
        if (merged?.Untied is (var head, var output)) yield return Of(head, [output.Rows, output.Columns], output.Widened);
    }

    /// <summary>The source's own, in full, but for the element type; its spelling before and since transformers 5.</summary>
    private static JsonObject Configuration(BaseModel model, ScalarType dtype)
    {
        JsonObject config;
        if (Directory.Exists(model.Path))
        {
            config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(model.Path, ModelConfigReader.FileName)))!.AsObject();
        }
        else
        {
            using var file = GgufFile.Open(model.Path);
            config = GgufConfig.ToHuggingFace(file);
            config["eos_token_id"] = model.Config.EosIds switch
            {
                [] => null,
                [var one] => one,
                var many => new JsonArray([.. many.Select(i => (JsonNode)i)]),
            };
        }
        if (model.Config.Task == ModelTask.Classification) Classify(config, model);
        (config["dtype"], config["torch_dtype"]) = (Spelling(dtype), Spelling(dtype));
        return config;
    }

    /// <summary>The base may have been made for something else, or for other labels.</summary>
    private static void Classify(JsonObject config, BaseModel model)
    {
        var labels = model.Config.Labels;
        config["architectures"] = new JsonArray(model.Config.Architecture);
        config["id2label"] = new JsonObject(labels.Select((l, i) => KeyValuePair.Create($"{i}", (JsonNode?)l)));
        config["label2id"] = new JsonObject(labels.Select((l, i) => KeyValuePair.Create(l, (JsonNode?)i)));
        config.Remove("num_labels");
        // Transformers classifies several texts at once only where it knows what they are padded with.
        if (config["pad_token_id"] is null && model.HasTokenizer && model.Tokenizer.PadId is { } pad) config["pad_token_id"] = pad;
    }

    private static string Spelling(ScalarType dtype) => dtype switch
    {
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float16 => "float16",
        _ => "float32",
    };
}
