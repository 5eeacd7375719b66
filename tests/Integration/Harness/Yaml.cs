using System.Text.Json.Nodes;
using YamlDotNet.Serialization;

namespace Graft.Integration.Harness;

internal static class Yaml
{
    /// <summary>One YAML document as JSON.</summary>
    public static JsonObject Read(string text)
    {
        var value = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(text);
        return JsonNode.Parse(new SerializerBuilder().JsonCompatible().Build().Serialize(value))!.AsObject();
    }
}
