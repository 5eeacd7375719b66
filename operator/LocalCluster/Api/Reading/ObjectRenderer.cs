using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Hosting;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Reading;

/// <summary>Writes stored objects in the form that a client asked for.</summary>
internal sealed class ObjectRenderer(ResourceKind kind, Representation form, TimeProvider time)
{
    private const int PartBytes = 64 * 1024;

    /// <summary>One object: itself, its metadata, or a table of one row.</summary>
    public void WriteOne(Utf8JsonWriter writer, StoredObject stored, bool withHeaders = true)
    {
        switch (form.View)
        {
            case View.Table:
                WriteTableStart(writer, withHeaders, stored.ResourceVersion, "", null);
                WriteRow(writer, stored);
                WriteListEnd(writer);
                break;
            case View.Metadata:
                PartialMetadata(stored.Content).WriteTo(writer);
                break;
            default:
                WriteFull(writer, stored);
                break;
        }
    }

    /// <summary>Answers with a list. It goes out in parts, at the pace of the reader: a large one is never whole in memory.</summary>
    public async Task SendListAsync(HttpContext http, ListPage page)
    {
        await WriteBarrier.PassAsync(http);
        http.Response.StatusCode = 200;
        http.Response.ContentType = "application/json";
        var body = http.Response.BodyWriter;
        await using var writer = new Utf8JsonWriter(body, Responses.Writing);
        WriteListStart(writer, page);
        long sent = 0;
        foreach (var stored in page.Objects)
        {
            WriteItem(writer, stored);
            if (writer.BytesCommitted + writer.BytesPending - sent < PartBytes)
                continue;
            await SendPartAsync();
        }
        WriteListEnd(writer);
        await SendPartAsync();

        async Task SendPartAsync()
        {
            await writer.FlushAsync(http.RequestAborted);
            await body.FlushAsync(http.RequestAborted);
            sent = writer.BytesCommitted;
        }
    }

    /// <summary>Writes an object as a client reads it in this version of its kind; versions differ in name only: conversion None.</summary>
    public bool TryWriteRaw(IBufferWriter<byte> output, StoredObject stored)
    {
        stored = Complete(stored);
        if (form.View != View.Full || !stored.IsIn(kind.ApiVersion))
            return false;
        output.Write(stored.Json.Span);
        return true;
    }

    /// <summary>The object with the defaults that its definition has got since it was stored: they are filled in when it is read.</summary>
    private StoredObject Complete(StoredObject stored)
    {
        if (!kind.IsCustom || ReferenceEquals(stored.CompleteBy, kind.Schema))
            return stored;
        var copy = stored.Copy();
        Defaulting.Apply(copy, kind.Schema.Type);
        if (!JsonNode.DeepEquals(copy, stored.Content))
            return new StoredObject(stored.Key, copy, stored.ResourceVersion);
        stored.CompleteBy = kind.Schema;
        return stored;
    }

    private void WriteListStart(Utf8JsonWriter writer, ListPage page)
    {
        if (form.View == View.Table)
        {
            WriteTableStart(writer, true, page.Version, page.Next, page.Remaining);
            return;
        }
        var isPartial = form.View == View.Metadata;
        writer.WriteStartObject();
        writer.WriteString("kind", isPartial ? "PartialObjectMetadataList" : kind.ListKindName);
        writer.WriteString("apiVersion", isPartial ? form.ApiVersion : kind.ApiVersion);
        WriteListMetadata(writer, page.Version, page.Next, page.Remaining);
        writer.WriteStartArray("items");
    }

    private void WriteItem(Utf8JsonWriter writer, StoredObject stored)
    {
        switch (form.View)
        {
            case View.Table:
                WriteRow(writer, stored);
                break;
            case View.Metadata:
                PartialMetadata(stored.Content).WriteTo(writer);
                break;
            default:
                WriteFull(writer, stored);
                break;
        }
    }

    /// <summary>An event of a watch that carries only a version.</summary>
    public JsonObject Bookmark(long version, bool endsInitialEvents)
    {
        var metadata = new JsonObject
        {
            ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture),
            ["creationTimestamp"] = null,
        };
        if (endsInitialEvents)
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        if (form.View == View.Table)
        {
            return new JsonObject
            {
                ["kind"] = "Table",
                ["apiVersion"] = form.ApiVersion,
                ["metadata"] = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) },
                ["columnDefinitions"] = null,
                ["rows"] = new JsonArray(),
            };
        }
        return new JsonObject
        {
            ["kind"] = form.View == View.Metadata ? "PartialObjectMetadata" : kind.Kind,
            ["apiVersion"] = form.View == View.Metadata ? form.ApiVersion : kind.ApiVersion,
            ["metadata"] = metadata,
        };
    }

    private void WriteFull(Utf8JsonWriter writer, StoredObject stored)
    {
        stored = Complete(stored);
        if (stored.IsIn(kind.ApiVersion))
        {
            writer.WriteRawValue(stored.Json.Span, skipInputValidation: true);
            return;
        }
        // Versions of a custom kind differ in name only: conversion strategy None.
        var copy = stored.Copy();
        copy["apiVersion"] = kind.ApiVersion;
        copy.WriteTo(writer);
    }

    private JsonObject PartialMetadata(JsonObject obj) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = form.ApiVersion,
        ["metadata"] = obj["metadata"]?.DeepClone(),
    };

    private void WriteTableStart(Utf8JsonWriter writer, bool withHeaders, long version, string next, long? remaining)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", "Table");
        writer.WriteString("apiVersion", form.ApiVersion);
        WriteListMetadata(writer, version, next, remaining);
        writer.WriteStartArray("columnDefinitions");
        foreach (var column in withHeaders ? kind.Columns : [])
        {
            writer.WriteStartObject();
            writer.WriteString("name", column.Name);
            writer.WriteString("type", column.Type);
            writer.WriteString("format", column.Format);
            writer.WriteString("description", column.Description);
            writer.WriteNumber("priority", column.Priority);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("rows");
    }

    private void WriteRow(Utf8JsonWriter writer, StoredObject stored)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("cells");
        foreach (var column in kind.Columns)
        {
            var cell = column.Value(stored.Content, time);
            if (cell is null)
                writer.WriteNullValue();
            else
                cell.WriteTo(writer);
        }
        writer.WriteEndArray();
        if (!form.NoObjectInRows)
        {
            writer.WritePropertyName("object");
            if (form.WholeObjectInRows)
                WriteFull(writer, stored);
            else
                PartialMetadata(stored.Content).WriteTo(writer);
        }
        writer.WriteEndObject();
    }

    private static void WriteListMetadata(Utf8JsonWriter writer, long version, string next, long? remaining)
    {
        writer.WriteStartObject("metadata");
        writer.WriteString("resourceVersion", version.ToString(CultureInfo.InvariantCulture));
        if (next.Length > 0)
            writer.WriteString("continue", next);
        if (remaining is { } count)
            writer.WriteNumber("remainingItemCount", count);
        writer.WriteEndObject();
    }

    private static void WriteListEnd(Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
