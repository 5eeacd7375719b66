using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Files;

/// <summary>A model of the fixtures with a tokenizer beside it, so that it can be converted.</summary>
internal static class TinyModel
{
    /// <summary>In the folder <c>model</c> under another one.</summary>
    public static string Make(string under, string name, Action<JsonObject>? change = null)
    {
        var model = Directory.CreateDirectory(Path.Combine(under, "model")).FullName;
        var source = Fixtures.Path("models", name);
        File.Copy(Path.Combine(source, "model.safetensors"), Path.Combine(model, "model.safetensors"));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!.AsObject();
        change?.Invoke(config);
        File.WriteAllText(Path.Combine(model, "config.json"), config.ToJsonString());
        File.WriteAllText(Path.Combine(model, "tokenizer.json"), """
            {"added_tokens": [{"id": 2, "content": "<|end|>", "special": true,
               "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 3}, "merges": [["a", "b"]]} }
            """);
        return model;
    }

    /// <summary>(length, vocabulary) of some tokens.</summary>
    public static Tensor Logits(BaseModel model, int length = 12)
    {
        var ids = tensor(new long[] { 9, 100, 20, 33, 57, 120, 8, 77, 41, 5, 250, 13 }[..length]);
        using var pass = Pass.OfLengths([length], model.Device);
        return model.Network.Logits(model.Network.Forward(ids, pass));
    }

    /// <summary>The largest difference of a model's logits from the reference's, over the real tokens of a padded batch.</summary>
    public static double DifferenceToReference(string name, BaseModel model)
    {
        using var expected = SafetensorsFile.Open(Fixtures.Path("models", name, "expected.safetensors"));
        var (ids, lengths) = Fixtures.Rows(expected.Map("input_ids"), expected.Map("attention_mask"));
        using var pass = Pass.OfLengths(lengths, model.Device);
        var wanted = cat([.. lengths.Select((length, r) => expected.Map("logits")[r].narrow(0, 0, length))]);
        return Fixtures.MaxDifference(wanted, model.Network.Logits(model.Network.Forward(tensor(ids), pass)));
    }
}
