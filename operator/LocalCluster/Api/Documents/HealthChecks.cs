using System.Text;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Documents;

/// <summary>
/// <c>/healthz</c>, <c>/livez</c> and <c>/readyz</c>, with each check as a path below, in the texts of the real ones (apiserver,
/// pkg/server/healthz/healthz.go). A process that answers is healthy; what is left to check is whether objects can be read.
/// </summary>
internal sealed class HealthChecks(ObjectStore store)
{
    // The check of what keeps the objects is named after what real clusters keep them in: monitors ask for it by this name.
    private static readonly string[] Names = ["ping", "etcd"];

    /// <summary>The answer at a path, or null if it is not one of health.</summary>
    public string? Answer(string path, IQueryCollection query)
    {
        var parts = path.TrimStart('/').Split('/', 2);
        if (parts[0] is not ("healthz" or "livez" or "readyz"))
            return null;
        // A store that cannot be read throws, which is answered with 500.
        _ = store.ResourceVersion;
        if (parts.Length == 2)
            return Names.Contains(parts[1]) ? "ok" : null;
        return query.ContainsKey("verbose") ? Verbose(parts[0], [.. query["exclude"].OfType<string>()]) : "ok";
    }

    private static string Verbose(string name, IReadOnlyList<string> excluded)
    {
        var text = new StringBuilder();
        foreach (var check in Names)
            text.Append("[+]").Append(check).Append(excluded.Contains(check) ? " excluded: ok\n" : " ok\n");
        var unknown = excluded.Except(Names).Distinct().Order(StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            text.Append("warn: some health checks cannot be excluded: no matches for ")
                .AppendJoin(',', unknown.Select(check => $"\"{check}\"")).Append('\n');
        }
        return text.Append(name).Append(" check passed\n").ToString();
    }
}
