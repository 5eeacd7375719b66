using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Apply;

/// <summary>Who writes, and how.</summary>
/// <param name="Manager">The field manager: the fieldManager parameter, or else the user agent up to the first slash.</param>
/// <param name="ApiVersion">The version that the request speaks, for example <c>apps/v1</c>.</param>
/// <param name="Subresource">For example <c>status</c>; empty for the main resource.</param>
/// <param name="Time">The time of the request.</param>
internal sealed record FieldWriter(string Manager, string ApiVersion, string Subresource, DateTimeOffset Time)
{
    /// <summary>
    /// Members of the root that the endpoint does not write, whatever comes in the body: <c>status</c> of a kind with a status
    /// subresource, or all but <c>status</c> at that subresource. They are neither merged nor owned.
    /// </summary>
    public IReadOnlyList<string> ResetFields { get; init; } = [];
}

/// <summary>One field that another manager owns with another value.</summary>
/// <param name="Manager">The owner as messages name it, for example <c>"kubectl" using v1</c>.</param>
/// <param name="Path">The field, for example <c>.spec.replicas</c>.</param>
internal sealed record FieldConflict(string Manager, string Path)
{
    /// <summary>The message of the cause, whose reason is <c>FieldManagerConflict</c> and whose field is <see cref="Path"/>.</summary>
    public string CauseMessage => $"conflict with {Manager}";
}

/// <summary>Server-side apply was refused, because others own fields with other values: HTTP 409, reason Conflict.</summary>
internal sealed class FieldConflictException(IReadOnlyList<FieldConflict> conflicts) : Exception(Summary(conflicts))
{
    public const string CauseReason = "FieldManagerConflict";

    public IReadOnlyList<FieldConflict> Conflicts { get; } = conflicts;

    private static string Summary(IReadOnlyList<FieldConflict> conflicts)
    {
        if (conflicts is [var only])
        {
            return $"Apply failed with 1 conflict: conflict with {only.Manager}: {only.Path}";
        }
        var lines = conflicts.GroupBy(c => c.Manager).SelectMany(g => g.Select(c => "- " + c.Path).Prepend($"conflicts with {g.Key}:"));
        return $"Apply failed with {JsonNumber.Of(conflicts.Count).Text} conflicts: {string.Join("\n", lines)}";
    }
}
