namespace Graft.Sources;

/// <summary>A source that lies in the cache, complete and checked.</summary>
/// <param name="Path">The folder or file to open.</param>
/// <param name="Root">Links below <paramref name="Path"/> lead to nothing outside of it.</param>
/// <param name="Revision">What the source named now: a commit, or <c>sha256:…</c>.</param>
public sealed record Fetched(string Path, string Root, string Revision);

/// <summary>How far a transfer is; what the cache held already is counted as done.</summary>
/// <param name="Waits">For a file that another process is fetching into the same cache; its bytes are counted as they come.</param>
public sealed record FetchProgress(long Bytes, long TotalBytes, bool Waits = false);

/// <summary>What is to be fetched.</summary>
/// <param name="Source">A URI of <see cref="Graft.Contract.SourceUri"/>'s schemes.</param>
/// <param name="Credentials">Folder with the files of a Secret; null: none.</param>
public sealed record FetchRequest(string Source, FetchKind Kind = FetchKind.Model, string? Credentials = null);
