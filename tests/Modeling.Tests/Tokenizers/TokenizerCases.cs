using System.IO.Compression;
using System.Text.Json;
using Graft.Modeling.Tokenizers;
using Graft.Modeling.Tokenizers.Reading;

namespace Graft.Modeling.Tests.Tokenizers;

/// <summary>Reads golden tokenizers and their cases.</summary>
internal static class TokenizerCases
{
    /// <summary>A folder's tokenizer.json, compressed or not.</summary>
    public static Tokenizer Open(string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        if (File.Exists(path)) return new Tokenizer(TokenizerJson.Read(path));
        using var packed = new GZipStream(File.OpenRead(path + ".gz"), CompressionMode.Decompress);
        using var json = JsonDocument.Parse(packed);
        return new Tokenizer(TokenizerJson.Read(path, json.RootElement));
    }

    public static Tokenizer Parse(string json)
    {
        using var parsed = JsonDocument.Parse(json);
        return new Tokenizer(TokenizerJson.Read("tokenizer.json", parsed.RootElement));
    }

    /// <summary>One JSON object a line; only line feeds end lines.</summary>
    public static IEnumerable<JsonElement> Lines(string path) =>
        File.ReadAllText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement);

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public static int[] Ints(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];

    public static string[] Texts(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(v => v.GetString()!)];

    public static (int, int)[] Pairs(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(v => (v[0].GetInt32(), v[1].GetInt32()))];
}
