using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Hosting;

namespace Graft.LocalCluster.Api;

/// <summary>Small things that every handler writes.</summary>
internal static class Responses
{
    /// <summary>What is not ASCII is sent as it is, as Kubernetes does.</summary>
    public static JsonWriterOptions Writing { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task WriteAsync(HttpContext http, int code, JsonNode body, string contentType = "application/json") =>
        WriteAsync(http, code, writer => body.WriteTo(writer), contentType);

    public static async Task WriteAsync(HttpContext http, int code, Action<Utf8JsonWriter> write, string contentType = "application/json")
    {
        await WriteBarrier.PassAsync(http);
        http.Response.StatusCode = code;
        http.Response.ContentType = contentType;
        using (var writer = new Utf8JsonWriter(http.Response.BodyWriter, Writing))
            write(writer);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
    }

    /// <summary>RFC 7234 warnings, which kubectl prints for people.</summary>
    public static void AddWarnings(HttpContext http, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings.Distinct())
        {
            var printable = new string([.. warning.Select(c => c is < ' ' or > '~' ? '?' : c)]);
            var text = printable.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            http.Response.Headers.Append("Warning", $"299 - \"{text}\"");
        }
    }
}
