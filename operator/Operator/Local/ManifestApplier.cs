using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Operator.Api;
using Graft.Runtime;

namespace Graft.Operator.Local;

/// <summary>An object that was applied.</summary>
internal sealed record Applied(string Kind, string Namespace, string Name);

/// <summary>
/// Applies manifests as a person would with <c>kubectl apply --server-side</c>: strictly, and every error by file and
/// field.
/// </summary>
internal sealed class ManifestApplier(ApiClient client)
{
    public const string FieldManager = "graft-manifests";

    /// <summary>
    /// Applies all: what is needed first comes first, so that a deployment finds the run it waits for and its pods need not be
    /// rolled when it turns up.
    /// </summary>
    /// <exception cref="LocalFailure">At least one was refused; all refusals are in the message, a line each.</exception>
    public async Task<IReadOnlyList<Applied>> ApplyAsync(IReadOnlyList<Manifest> manifests, CancellationToken cancellation)
    {
        var applied = new List<Applied>();
        var errors = new List<string>();
        foreach (var manifest in manifests.OrderBy(Rank))
        {
            try
            {
                applied.Add(await ApplyAsync(manifest, cancellation));
            }
            catch (ApiException e)
            {
                errors.AddRange(Lines(manifest, e));
            }
            catch (LocalFailure e)
            {
                errors.Add(e.Message);
            }
        }
        return errors.Count == 0 ? applied : throw new LocalFailure(string.Join('\n', errors));
    }

    private static int Rank(Manifest manifest) => manifest.Kind switch
    {
        "Namespace" => 0,
        nameof(FineTuneJob) => 2,
        nameof(AdapterDeployment) => 3,
        _ => 1,
    };

    private async Task<Applied> ApplyAsync(Manifest manifest, CancellationToken cancellation)
    {
        var kind = await KindAsync(manifest, cancellation);
        var json = (JsonObject)manifest.Object.DeepClone();
        if (kind.Namespaced && json["metadata"]!["namespace"] is null) json["metadata"]!["namespace"] = "default";
        var options = new WriteOptions { FieldManager = FieldManager, FieldValidation = "Strict" };
        var written = await client.Resource(kind).ApplyAsync(json, options, cancellation);
        return new(manifest.Kind, (string?)written["metadata"]?["namespace"] ?? "", manifest.Name);
    }

    private async Task<ResourceKind> KindAsync(Manifest manifest, CancellationToken cancellation)
    {
        var slash = manifest.ApiVersion.IndexOf('/', StringComparison.Ordinal);
        var (group, version) = slash < 0 ? ("", manifest.ApiVersion) : (manifest.ApiVersion[..slash], manifest.ApiVersion[(slash + 1)..]);
        var path = slash < 0
            ? $"api/{Uri.EscapeDataString(version)}"
            : $"apis/{Uri.EscapeDataString(group)}/{Uri.EscapeDataString(version)}";
        try
        {
            using var list = JsonDocument.Parse(await client.GetRawAsync(path, cancellation));
            foreach (var resource in list.RootElement.GetProperty("resources").EnumerateArray())
            {
                var plural = resource.GetProperty("name").GetString()!;
                if (resource.GetProperty("kind").GetString() == manifest.Kind && !plural.Contains('/', StringComparison.Ordinal))
                    return new(group, version, manifest.Kind, plural, resource.GetProperty("namespaced").GetBoolean());
            }
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // The whole group version is unknown: the same message.
        }
        throw new LocalFailure($"{manifest.File}: kind: no kind '{manifest.Kind}' in '{manifest.ApiVersion}' is served here");
    }

    private static IEnumerable<string> Lines(Manifest manifest, ApiException e)
    {
        var causes = e.Status.Causes.Where(c => !string.IsNullOrEmpty(c.Message)).ToList();
        if (causes.Count == 0) return [$"{manifest.File}: {e.Status.Message}"];
        return causes.Select(c => string.IsNullOrEmpty(c.Field) || c.Field is "<nil>" or "."
            ? $"{manifest.File}: {c.Message}"
            : $"{manifest.File}: {c.Field}: {c.Message}");
    }
}
