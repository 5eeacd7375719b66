using System.Text.Encodings.Web;
using System.Text.Json;

namespace Graft.Modeling.Files;

/// <summary>A model's weights as transformers lays them out: one file, or shards and their index.</summary>
internal static class SafetensorsShards
{
    /// <summary>Where transformers cuts: five billion bytes.</summary>
    public const long DefaultBytes = 5_000_000_000;

    /// <summary>Writes and flushes to the disk. The same tensors give the same bytes.</summary>
    /// <param name="outputs">In the order in which they are dealt out to shards.</param>
    /// <param name="maxBytes">Of one shard's tensors; a larger tensor has a shard of its own.</param>
    /// <exception cref="IOException">The disk is full, or something else of the file system.</exception>
    public static void Write(string folder, IEnumerable<SafetensorsOutput> outputs, long maxBytes = DefaultBytes)
    {
        var shards = new List<List<SafetensorsOutput>> { new() };
        long total = 0, filled = 0;
        foreach (var output in outputs)
        {
            if (filled > 0 && filled + output.Bytes > maxBytes)
            {
                shards.Add([]);
                filled = 0;
            }
            shards[^1].Add(output);
            filled += output.Bytes;
            total += output.Bytes;
        }
        var names = shards.Count == 1 ? [SafetensorsWeights.Single]
            : Enumerable.Range(1, shards.Count).Select(i => $"model-{i:d5}-of-{shards.Count:d5}.safetensors").ToList();
        for (var i = 0; i < shards.Count; i++) SafetensorsWriter.Write(Path.Combine(folder, names[i]), shards[i]);
        if (shards.Count == 1) return;
        var map = shards.SelectMany((shard, i) => shard.Select(output => (output.Name, Shard: names[i])));
        File.WriteAllBytes(Path.Combine(folder, SafetensorsWeights.Index), Index(total, map));
    }

    private static byte[] Index(long bytes, IEnumerable<(string Name, string Shard)> map)
    {
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions
        {
            Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", bytes);
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach (var (name, shard) in map.OrderBy(m => m.Name, StringComparer.Ordinal)) json.WriteString(name, shard);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
