using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Graft.Runtime;
using YamlDotNet.Serialization;

namespace Graft.LocalCluster.Faults;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowOutOfOrderMetadataProperties = true,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true, Converters = [typeof(DurationConverter)])]
[JsonSerializable(typeof(FaultPlan))]
internal sealed partial class FaultPlanJson : JsonSerializerContext;

/// <summary>Durations as people write them; a minus turns them round.</summary>
internal sealed class DurationConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        var negative = text.StartsWith('-');
        return GepDuration.TryParse(negative ? text[1..] : text, out var value)
            ? negative ? -value : value
            : throw new JsonException($"'{text}' is no duration; write it like 500ms, 90s or 1h30m");
    }

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Text(value));

    public static string Text(TimeSpan value) => (value < TimeSpan.Zero ? "-" : "") + GepDuration.Format(value.Duration());
}

/// <summary>JSON as block YAML.</summary>
internal static class FaultPlanYaml
{
    public static string Write(JsonNode plan) => new SerializerBuilder().WithQuotingNecessaryStrings().WithIndentedSequences().Build()
        .Serialize(Plain(plan)!).ReplaceLineEndings("\n");

    private static object? Plain(JsonNode? node) => node switch
    {
        JsonObject map => map.ToDictionary(pair => pair.Key, pair => Plain(pair.Value)),
        JsonArray list => list.Select(Plain).ToList(),
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        JsonValue value when value.TryGetValue<long>(out var whole) => whole,
        JsonValue value when value.TryGetValue<int>(out var whole) => whole,
        JsonValue value => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture),
        _ => null,
    };
}
