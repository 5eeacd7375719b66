using System.Text;
using System.Text.Json.Nodes;

namespace Graft.Runtime;

/// <summary>Which objects a list or watch returns.</summary>
public sealed record ListOptions
{
    /// <summary>Null is all namespaces.</summary>
    public string? Namespace { get; init; }

    public string? LabelSelector { get; init; }

    public string? FieldSelector { get; init; }

    public string? ResourceVersion { get; init; }

    public string? ResourceVersionMatch { get; init; }

    public int? Limit { get; init; }

    public string? Continue { get; init; }

    /// <summary>How long the server keeps a watch open.</summary>
    public int? TimeoutSeconds { get; init; }
}

/// <summary>How a write is done. Unknown fields are refused unless said otherwise.</summary>
public sealed record WriteOptions
{
    /// <summary>Null is the client's own field manager.</summary>
    public string? FieldManager { get; init; }

    /// <summary>Strict, Warn or Ignore.</summary>
    public string FieldValidation { get; init; } = "Strict";

    /// <summary>The server does everything but store the result.</summary>
    public bool DryRun { get; init; }

    /// <summary>Server-side apply only: takes fields that another manager owns.</summary>
    public bool Force { get; init; } = true;
}

/// <summary>How an object is deleted.</summary>
public sealed record DeleteOptions
{
    /// <summary>Background, Foreground or Orphan.</summary>
    public string PropagationPolicy { get; init; } = "Background";

    public int? GracePeriodSeconds { get; init; }

    /// <summary>Deletes only this incarnation of the name.</summary>
    public string? Uid { get; init; }

    public string? ResourceVersion { get; init; }

    public bool DryRun { get; init; }

    internal JsonObject ToJson()
    {
        var body = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["propagationPolicy"] = PropagationPolicy };
        if (GracePeriodSeconds is { } grace)
            body["gracePeriodSeconds"] = grace;
        var preconditions = new JsonObject();
        if (Uid is not null)
            preconditions["uid"] = Uid;
        if (ResourceVersion is not null)
            preconditions["resourceVersion"] = ResourceVersion;
        if (preconditions.Count > 0)
            body["preconditions"] = preconditions;
        if (DryRun)
            body["dryRun"] = new JsonArray("All");
        return body;
    }
}

public enum PatchType
{
    Json,
    Merge,
    Strategic,
    Apply,
}

/// <summary>A patch: its type and its body as JSON.</summary>
public sealed record Patch(PatchType Type, JsonNode Body)
{
    internal string ContentType => Type switch
    {
        PatchType.Json => "application/json-patch+json",
        PatchType.Merge => "application/merge-patch+json",
        PatchType.Strategic => "application/strategic-merge-patch+json",
        _ => "application/apply-patch+yaml",
    };

    public static Patch Merge(JsonNode body) => new(PatchType.Merge, body);

    public static Patch Json(JsonArray operations) => new(PatchType.Json, operations);

    public static Patch Strategic(JsonNode body) => new(PatchType.Strategic, body);

    public static Patch Apply(JsonNode body) => new(PatchType.Apply, body);
}

/// <summary>Builds the query part of a request.</summary>
internal sealed class Query
{
    private readonly StringBuilder _text = new();

    public Query Add(string name, string? value)
    {
        if (value is not null)
            _text.Append(_text.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return this;
    }

    public Query Add(string name, int? value) => Add(name, value?.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public Query Add(string name, bool value) => value ? Add(name, "true") : this;

    public Query Add(ListOptions options) => this
        .Add("labelSelector", options.LabelSelector)
        .Add("fieldSelector", options.FieldSelector)
        .Add("resourceVersion", options.ResourceVersion)
        .Add("resourceVersionMatch", options.ResourceVersionMatch)
        .Add("limit", options.Limit)
        .Add("continue", options.Continue)
        .Add("timeoutSeconds", options.TimeoutSeconds);

    public Query Add(WriteOptions options, string defaultManager) => this
        .Add("fieldManager", options.FieldManager ?? defaultManager)
        .Add("fieldValidation", options.FieldValidation)
        .Add("dryRun", options.DryRun ? "All" : null);

    public override string ToString() => _text.ToString();
}
