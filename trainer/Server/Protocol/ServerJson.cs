using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Graft.Server.Protocol;

/// <summary>The server's JSON: snake_case, unknown fields skipped, no reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CompletionRequest))]
[JsonSerializable(typeof(ChatRequest))]
[JsonSerializable(typeof(LoadAdapterRequest))]
[JsonSerializable(typeof(UnloadAdapterRequest))]
[JsonSerializable(typeof(CompletionResponse))]
[JsonSerializable(typeof(ChatResponse))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ErrorBody))]
internal sealed partial class ServerJson : JsonSerializerContext
{
    /// <summary>Text is written as it is: answers go to programs, never into a page.</summary>
    public static ServerJson Plain => Variants.Plain;

    // A class of its own, because the generated part's static fields must be initialised first.
    private static class Variants
    {
        public static readonly ServerJson Plain = new(new JsonSerializerOptions(Default.Options)
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });
    }
}
