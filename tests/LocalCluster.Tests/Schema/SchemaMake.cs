using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Tests.Schema;

/// <summary>Builds schemas and values from JSON with single quotes, for tables.</summary>
internal static class SchemaMake
{
    public static JsonNode? Node(string json) => StrictJson.Parse(json.Replace('\'', '"'));

    public static JsonObject Object(string json) => (JsonObject)Node(json)!;

    public static TypeSchema SchemaOf(string json)
    {
        var schema = StructuralSchema.Parse(Object(json), "schema", out var errors);
        Assert.Empty(errors);
        return schema!;
    }

    /// <summary>A schema whose spec has one field x.</summary>
    public static TypeSchema WithField(string field) => SchemaOf(
        "{'type':'object','properties':{'spec':{'type':'object','properties':{'x':" + field + "}}}}");

    public static void AssertJson(string expected, JsonNode? actual) =>
        Assert.True(JsonEquality.Same(Node(expected), actual), $"expected {expected}\ngot      {actual?.ToJsonString() ?? "null"}");
}
