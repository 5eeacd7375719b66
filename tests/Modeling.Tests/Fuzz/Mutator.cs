using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.Modeling.Tests.Fuzz;

/// <summary>Damages good files, the same way for the same seed.</summary>
internal sealed class Mutator(int seed, IReadOnlyList<byte[]> good)
{
    private static readonly long[] Lengths =
        [0, 1, 2, 7, 8, 63, 64, 127, 255, 256, 65_535, 65_536, int.MaxValue, uint.MaxValue, 1L << 32, 1L << 40, long.MaxValue,
            long.MinValue, -1, -2];

    private static readonly string[] JsonValues =
    [
        "null", "true", "0", "-1", "1e400", "1e-400", "0.5", "2147483647", "2147483648", "9223372036854775807", "-9223372036854775808",
        "123456789012345678901234567890", "\"\"", "\"x\"", "[]", "{}", "[[[[[[[[]]]]]]]]", "[null]", "\"\\ud800\"", "\"\\u0000\"",
            "\"../../etc/passwd\"",
        "\"(a+)+$\"", "\"(?:\"", "\"[\"",
    ];

    private readonly Random random = new(seed);

    /// <param name="json">Also changes values of the JSON that the file is, or that stands at its beginning after a length.</param>
    public byte[] Next(bool json)
    {
        var bytes = Any(good).ToArray();
        for (var times = random.Next(1, 4); times > 0; times--) bytes = json && random.Next(2) == 0 ? InJson(bytes) : InBytes(bytes);
        return bytes;
    }

    private byte[] InBytes(byte[] bytes)
    {
        if (bytes.Length == 0) return bytes;
        // Most of what decides stands at the beginning.
        int Place() => random.Next(4) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, 2048));
        var at = Place();
        switch (random.Next(8))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                return bytes[..at];
            case 3:
                if (at + 8 <= bytes.Length) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), Any(Lengths));
                return bytes;
            case 4:
                if (at + 4 <= bytes.Length) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), (int)Any(Lengths));
                return bytes;
            case 5:
                var other = Any(good);
                var from = random.Next(other.Length + 1);
                return [.. bytes[..at], .. other[from..Math.Min(other.Length, from + random.Next(256))], .. bytes[at..]];
            case 6:
                var end = Math.Min(bytes.Length, at + random.Next(64));
                return [.. bytes[..at], .. bytes[end..]];
            default:
                var part = bytes[at..Math.Min(bytes.Length, at + random.Next(1, 32))];
                return [.. bytes[..at], .. Enumerable.Repeat(part, random.Next(1, 64)).SelectMany(p => p), .. bytes[at..]];
        }
    }

    private byte[] InJson(byte[] bytes)
    {
        var prefixed = bytes.Length > 8 && bytes[0] != '{' && bytes[8] == '{';
        var length = prefixed ? (int)Math.Min(BinaryPrimitives.ReadInt64LittleEndian(bytes), bytes.Length - 8) : bytes.Length;
        if (length < 2) return bytes;
        var start = prefixed ? 8 : 0;
        try
        {
            var root = JsonNode.Parse(bytes.AsSpan(start, length));
            if (root is null) return bytes;
            Change(root);
            var text = Encoding.UTF8.GetBytes(root.ToJsonString());
            if (!prefixed) return text;
            var size = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(size, text.Length);
            return [.. size, .. text, .. bytes[(start + length)..]];
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return InBytes(bytes);
        }
    }

    private void Change(JsonNode root)
    {
        var inner = new List<JsonNode>();
        Collect(root, inner);
        var node = Any(inner);
        if (node is JsonArray array)
        {
            if (array.Count == 0 || random.Next(3) == 0) array.Add(Value());
            else if (random.Next(2) == 0) array.RemoveAt(random.Next(array.Count));
            else array[random.Next(array.Count)] = Value();
            return;
        }
        var map = (JsonObject)node;
        if (map.Count == 0) return;
        var name = map.ElementAt(random.Next(map.Count)).Key;
        switch (random.Next(5))
        {
            case 0: map.Remove(name); break;
            case 1: map[name + "_"] = Value(); break;
            // Something of its own file in a place where it does not belong.
            case 2: map[name] = Any(inner).DeepClone(); break;
            default: map[name] = Value(); break;
        }
    }

    private static void Collect(JsonNode? node, List<JsonNode> found)
    {
        if (node is not (JsonArray or JsonObject)) return;
        found.Add(node);
        if (found.Count > 400) return;
        foreach (var child in node is JsonArray array ? array : ((JsonObject)node).Select(p => p.Value)) Collect(child, found);
    }

    private JsonNode? Value() => JsonNode.Parse(Any(JsonValues));

    private T Any<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];
}
