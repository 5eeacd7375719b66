using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Apply;

/// <summary>The annotation in which client-side apply keeps what it applied.</summary>
internal static class LastApplied
{
    public const string Annotation = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>The configuration in the annotation, or null where there is none that can be read.</summary>
    public static JsonObject? Read(JsonObject value)
    {
        var text = (value["metadata"] as JsonObject)?["annotations"] is JsonObject annotations ? annotations[Annotation] : null;
        if (JsonEquality.KindOf(text) != JsonValueKind.String)
        {
            return null;
        }
        try
        {
            return StrictJson.Parse(text!.GetValue<string>()) as JsonObject;
        }
        catch (JsonSyntaxException)
        {
            return null;
        }
    }

    public static void Write(JsonObject value, JsonObject applied)
    {
        var copy = (JsonObject)applied.DeepClone();
        if ((copy["metadata"] as JsonObject)?["annotations"] is JsonObject own)
        {
            own.Remove(Annotation);
        }
        value["metadata"]!["annotations"]![Annotation] = GoText.Json(copy) + "\n";
    }
}
