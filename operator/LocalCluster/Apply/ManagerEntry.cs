using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Apply;

/// <summary>One entry of <c>metadata.managedFields</c>.</summary>
internal sealed record ManagerEntry(string Manager, bool IsApply, string ApiVersion, string Subresource, FieldSet Fields, DateTimeOffset? Time)
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>
    /// What makes two entries the same manager: an updater also by its version, an applier not, since what it applies replaces what it
    /// applied before in any version.
    /// </summary>
    public (string Manager, bool IsApply, string ApiVersion, string Subresource) Identity =>
        (Manager, IsApply, IsApply ? "" : ApiVersion, Subresource);

    /// <summary>The manager as messages name it.</summary>
    public string DisplayName
    {
        get
        {
            var text = GoText.Quote(Manager) + (Subresource.Length > 0 ? $" with subresource {GoText.Quote(Subresource)}" : "");
            return IsApply ? text : $"{text} using {ApiVersion}";
        }
    }

    /// <summary>Reads the entries of an object; a list that cannot be read counts as absent.</summary>
    public static List<ManagerEntry> ReadAll(JsonObject? value)
    {
        if (value?["metadata"] is not JsonObject metadata || metadata["managedFields"] is not JsonArray list)
        {
            return [];
        }
        var entries = list.Select(Read).ToList();
        return entries.Contains(null) ? [] : entries.OfType<ManagerEntry>().ToList();
    }

    /// <summary>True where a request asks to forget all managers: an empty list, or a list of one empty entry.</summary>
    public static bool IsReset(JsonObject value) => value["metadata"] is JsonObject metadata
        && metadata["managedFields"] is JsonArray { Count: 0 } or JsonArray and [JsonObject { Count: 0 }];

    /// <summary>Puts the entries into an object, appliers first, then by time; none where there are none.</summary>
    public static void WriteAll(JsonObject value, IEnumerable<ManagerEntry> entries)
    {
        if (value["metadata"] is not JsonObject metadata)
        {
            return;
        }
        metadata.Remove("managedFields");
        var sorted = entries
            .OrderBy(e => !e.IsApply).ThenBy(e => e.Time?.ToUnixTimeSeconds() ?? 0)
            .ThenBy(e => e.Manager, StringComparer.Ordinal)
            .ThenBy(e => e.ApiVersion, StringComparer.Ordinal)
            .ThenBy(e => e.Subresource, StringComparer.Ordinal)
            .Select(e => (JsonNode)e.ToJson()).ToArray();
        if (sorted.Length > 0)
        {
            metadata["managedFields"] = new JsonArray(sorted);
        }
    }

    private JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["apiVersion"] = ApiVersion,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = Fields.ToJson(),
            ["manager"] = Manager,
            ["operation"] = IsApply ? "Apply" : "Update",
        };
        if (Subresource.Length > 0)
        {
            json["subresource"] = Subresource;
        }
        if (Time is { } time)
        {
            json["time"] = time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        }
        return json;
    }

    private static ManagerEntry? Read(JsonNode? node)
    {
        if (node is not JsonObject json || Text(json, "operation") is not ("Apply" or "Update") || Text(json, "fieldsType") != "FieldsV1"
            || string.IsNullOrEmpty(Text(json, "apiVersion")))
        {
            return null;
        }
        var hasTime = DateTimeOffset.TryParse(
            Text(json, "time"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time);
        return new ManagerEntry(
            Text(json, "manager"),
            Text(json, "operation") == "Apply",
            Text(json, "apiVersion"),
            Text(json, "subresource"),
            json["fieldsV1"] is JsonObject fields ? FieldSet.FromJson(fields) : FieldSet.Empty,
            hasTime ? time : null);
    }

    private static string Text(JsonObject json, string name) =>
        JsonEquality.KindOf(json[name]) == JsonValueKind.String ? json[name]!.GetValue<string>() : "";
}
