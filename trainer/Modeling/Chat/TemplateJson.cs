using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Graft.Modeling.Chat;

/// <summary>Texts as JSON, with only the escapes that JSON asks for.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class TemplateJson : JsonSerializerContext
{
    public static TemplateJson Relaxed => Lazily.Relaxed;

    // A class of its own, because the generated part's static fields must be initialised first.
    private static class Lazily
    {
        public static readonly TemplateJson Relaxed = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
