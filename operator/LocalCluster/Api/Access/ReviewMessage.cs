using System.Text;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Api.Access;

/// <summary>
/// An access review in the API's binary form, which kubectl writes and nothing else here needs: four bytes of magic, then a message
/// <c>runtime.Unknown</c> whose field 2 is the review (apimachinery's pkg/runtime/generated.proto, api's authorization/v1/generated.proto).
/// </summary>
internal static class ReviewMessage
{
    public const string ContentType = "application/vnd.kubernetes.protobuf";

    private static readonly string[] ResourceAttributes = ["", "namespace", "verb", "group", "version", "resource", "subresource", "name"];
    private static readonly string[] UrlAttributes = ["", "path", "verb"];

    /// <summary>The review as JSON would say it: its spec, without kind and metadata.</summary>
    /// <exception cref="ApiException">400: it is no such message.</exception>
    public static JsonObject Parse(ReadOnlyMemory<byte> body)
    {
        if (!body.Span.StartsWith("k8s\0"u8))
            throw NoReview();
        var spec = new JsonObject();
        foreach (var (field, value) in Fields(Only(2, Only(2, body[4..]))))
        {
            if (field == 1)
                spec["resourceAttributes"] = Texts(value, ResourceAttributes);
            else if (field == 2)
                spec["nonResourceAttributes"] = Texts(value, UrlAttributes);
            else if (field == 3)
                spec["user"] = Encoding.UTF8.GetString(value.Span);
            else if (field == 4 && spec["groups"] is JsonArray groups)
                groups.Add(Encoding.UTF8.GetString(value.Span));
            else if (field == 4)
                spec["groups"] = new JsonArray(Encoding.UTF8.GetString(value.Span));
        }
        return new JsonObject { ["spec"] = spec };
    }

    private static JsonObject Texts(ReadOnlyMemory<byte> message, string[] names) => new(Fields(message)
        .Where(field => field.Number < names.Length && field.Value.Length > 0)
        // Of a field that stands twice the last counts.
        .GroupBy(field => field.Number)
        .Select(group => KeyValuePair.Create(names[group.Key], (JsonNode?)Encoding.UTF8.GetString(group.Last().Value.Span))));

    private static ReadOnlyMemory<byte> Only(int number, ReadOnlyMemory<byte> message) =>
        Fields(message).LastOrDefault(field => field.Number == number).Value;

    /// <summary>The fields that hold texts or messages; numbers are passed over (protobuf's wire format).</summary>
    private static List<(int Number, ReadOnlyMemory<byte> Value)> Fields(ReadOnlyMemory<byte> message)
    {
        var fields = new List<(int, ReadOnlyMemory<byte>)>();
        while (message.Length > 0)
        {
            var tag = TakeNumber(ref message);
            var number = (int)Math.Min(tag >> 3, int.MaxValue);
            switch (tag & 7)
            {
                case 0:
                    TakeNumber(ref message);
                    break;
                case 1:
                    Take(ref message, 8);
                    break;
                case 2 when number > 0:
                    fields.Add((number, Take(ref message, TakeNumber(ref message))));
                    break;
                case 5:
                    Take(ref message, 4);
                    break;
                default:
                    throw NoReview();
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
        throw NoReview();
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> message, ulong length)
    {
        if (length > (ulong)message.Length)
            throw NoReview();
        var taken = message[..(int)length];
        message = message[(int)length..];
        return taken;
    }

    private static ApiException NoReview() => ApiException.BadRequest("the body of the request is no access review in the binary form");
}
