using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>
/// Objects in the API's binary form: four bytes of magic, then a message <c>runtime.Unknown</c> whose field 1 names the kind and whose
/// field 2 is the object (apimachinery's pkg/runtime/generated.proto; https://protobuf.dev/programming-guides/encoding/).
/// </summary>
internal static class ProtobufBody
{
    public const string ContentType = "application/vnd.kubernetes.protobuf";
    private const int MaxDepth = 16;

    public static bool IsIn(HttpRequest request) => request.ContentType?.StartsWith(ContentType, StringComparison.Ordinal) == true;

    /// <summary>Whether objects of a kind can be read.</summary>
    public static bool Reads(string kind) => ProtobufShapes.Find(kind) is not null;

    /// <summary>The object as JSON would say it, without what is empty.</summary>
    /// <exception cref="ApiException">400: it is no such message. 415: objects of that kind are not read so.</exception>
    public static JsonObject Parse(ReadOnlyMemory<byte> body, string kind)
    {
        var shape = ProtobufShapes.Find(kind) ?? throw NotRead($"a {kind}");
        if (!body.Span.StartsWith("k8s\0"u8))
            throw Malformed();
        var raw = Fields(body[4..]).LastOrDefault(field => field.Number == 2);
        return ToJson(raw.Value, shape, kind, 0);
    }

    private static JsonObject ToJson(ReadOnlyMemory<byte> message, ProtobufShape shape, string path, int depth)
    {
        if (depth > MaxDepth)
            throw Malformed();
        var obj = new JsonObject();
        foreach (var (number, value, bits) in Fields(message))
        {
            if (shape.Find(number) is not { } field)
            {
                // Nothing that somebody set may be lost without a word.
                if (bits != 0 || !IsEmpty(value, depth + 1))
                    throw NotRead(string.Create(CultureInfo.InvariantCulture, $"field {number} of {path}"));
                continue;
            }
            switch (field.Type)
            {
                case ProtobufType.Text when value.Length > 0:
                    obj[field.Name] = Text(value);
                    break;
                case ProtobufType.Texts:
                    Append(obj, field.Name, Text(value));
                    break;
                case ProtobufType.Number:
                    obj[field.Name] = (long)bits;
                    break;
                case ProtobufType.Count when bits != 0:
                    obj[field.Name] = (long)bits;
                    break;
                case ProtobufType.Set when bits != 0:
                    obj[field.Name] = true;
                    break;
                case ProtobufType.Flag:
                    obj[field.Name] = bits != 0;
                    break;
                case ProtobufType.Message:
                    obj[field.Name] = ToJson(value, field.Shape!, $"{path}.{field.Name}", depth + 1);
                    break;
                case ProtobufType.Messages:
                    Append(obj, field.Name, ToJson(value, field.Shape!, $"{path}.{field.Name}", depth + 1));
                    break;
                case ProtobufType.Map:
                    AddEntry(obj, field.Name, value, Text);
                    break;
                case ProtobufType.Bytes:
                    AddEntry(obj, field.Name, value, bytes => Convert.ToBase64String(bytes.Span));
                    break;
                case ProtobufType.NumberOrText:
                    obj[field.Name] = NumberOrText(Fields(value));
                    break;
            }
        }
        return obj;
    }

    private static void AddEntry(JsonObject obj, string name, ReadOnlyMemory<byte> message, Func<ReadOnlyMemory<byte>, string> write)
    {
        var entry = Fields(message);
        if (obj[name] is not JsonObject map)
            obj[name] = map = [];
        map[Text(entry.LastOrDefault(part => part.Number == 1).Value)] = write(entry.LastOrDefault(part => part.Number == 2).Value);
    }

    /// <summary>Field 1 says which of the two it is; 2 is the number, 3 the text.</summary>
    private static JsonNode NumberOrText(List<(int Number, ReadOnlyMemory<byte> Value, ulong Bits)> fields) =>
        fields.LastOrDefault(field => field.Number == 1).Bits == 1
            ? Text(fields.LastOrDefault(field => field.Number == 3).Value)
            : (int)fields.LastOrDefault(field => field.Number == 2).Bits;

    /// <summary>Whether bytes say nothing: none, or a message whose fields all say nothing, as of a part that nobody set.</summary>
    private static bool IsEmpty(ReadOnlyMemory<byte> value, int depth)
    {
        if (value.Length == 0)
            return true;
        if (depth > MaxDepth)
            return false;
        try
        {
            return Fields(value).All(field => field.Bits == 0 && IsEmpty(field.Value, depth + 1));
        }
        catch (ApiException)
        {
            // A text.
            return false;
        }
    }

    private static void Append(JsonObject obj, string name, JsonNode item)
    {
        if (obj[name] is not JsonArray list)
            obj[name] = list = [];
        list.Add(item);
    }

    private static string Text(ReadOnlyMemory<byte> value) => Encoding.UTF8.GetString(value.Span);

    private static List<(int Number, ReadOnlyMemory<byte> Value, ulong Bits)> Fields(ReadOnlyMemory<byte> message)
    {
        var fields = new List<(int, ReadOnlyMemory<byte>, ulong)>();
        while (message.Length > 0)
        {
            var tag = TakeNumber(ref message);
            var number = (int)Math.Min(tag >> 3, int.MaxValue);
            switch (tag & 7)
            {
                case 0:
                    fields.Add((number, default, TakeNumber(ref message)));
                    break;
                case 1:
                    Take(ref message, 8);
                    break;
                case 2 when number > 0:
                    fields.Add((number, Take(ref message, TakeNumber(ref message)), 0));
                    break;
                case 5:
                    Take(ref message, 4);
                    break;
                default:
                    throw Malformed();
            }
        }
        return fields;
    }

    private static ulong TakeNumber(ref ReadOnlyMemory<byte> message)
    {
        ulong number = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(ref message, 1).Span[0];
            number |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return number;
        }
        throw Malformed();
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> message, ulong length)
    {
        if (length > (ulong)message.Length)
            throw Malformed();
        var taken = message[..(int)length];
        message = message[(int)length..];
        return taken;
    }

    private static ApiException NotRead(string what) =>
        ApiException.UnsupportedMediaType($"{what} is not read in the binary form here: write a manifest and use kubectl apply");

    private static ApiException Malformed() => ApiException.BadRequest("the body of the request is no object in the binary form");
}
