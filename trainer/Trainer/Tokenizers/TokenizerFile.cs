using System.Text.Encodings.Web;
using System.Text.Json;

namespace Graft.Trainer.Tokenizers;

/// <summary>Writes <c>tokenizer.json</c> as Hugging Face's tokenizers read it.</summary>
internal static class TokenizerFile
{
    /// <param name="special">Special tokens; they come first and keep their ids when the vocabulary grows.</param>
    public static void Write(string path, BytePairTrainer trained, IReadOnlyList<string> special)
    {
        using var stream = File.Create(path);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions
        {
            Indented = true,
            IndentSize = 1,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        for (var id = 0; id < special.Count; id++) Added(json, id, special[id]);
        json.WriteEndArray();
        json.WriteNull("normalizer");
        ByteLevel(json, "pre_tokenizer");
        ByteLevel(json, "post_processor");
        ByteLevel(json, "decoder");
        Model(json, trained, special);
        json.WriteEndObject();
    }

    private static void Added(Utf8JsonWriter json, int id, string content)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("content", content);
        foreach (var flag in new[] { "single_word", "lstrip", "rstrip", "normalized" }) json.WriteBoolean(flag, false);
        json.WriteBoolean("special", true);
        json.WriteEndObject();
    }

    private static void ByteLevel(Utf8JsonWriter json, string part)
    {
        json.WriteStartObject(part);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", false);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
    }

    private static void Model(Utf8JsonWriter json, BytePairTrainer trained, IReadOnlyList<string> special)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        foreach (var none in new[] { "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix" }) json.WriteNull(none);
        foreach (var no in new[] { "fuse_unk", "byte_fallback", "ignore_merges" }) json.WriteBoolean(no, false);
        json.WriteStartObject("vocab");
        var id = 0;
        foreach (var token in special.Concat(trained.Vocabulary)) json.WriteNumber(token, id++);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in trained.Merges) json.WriteStringValue($"{left} {right}");
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
