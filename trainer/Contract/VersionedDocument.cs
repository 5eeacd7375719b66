using System.Text.Json.Serialization;

namespace Graft.Contract;

/// <summary>Of a document only which version of which kind it is.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
public sealed record VersionedDocument(string? Version = null);
