using System.Globalization;
using Graft.Operator.Api;
using Graft.Operator.Sources;
using Graft.Runtime;
using k8s.Models;
using Spectre.Console;

namespace Graft.Operator.Local;

/// <summary>Where an artifact lies on this machine, what it weighs, and how good it is.</summary>
internal static class ArtifactReport
{
    public static async Task WriteAsync(IAnsiConsole console, ApiClient client, FineTuneJob run, CancellationToken cancellation)
    {
        if (run.Status?.Artifact is not { } artifact) return;
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        Row(grid, artifact.Kind.ToLowerInvariant(), $"{run.Metadata.Name}: {artifact.Uri}");
        if (await FolderAsync(client, run, artifact.Uri, cancellation) is { } folder) Row(grid, "folder", folder);
        var rank = artifact.Rank is { } r ? $", rank {r}" : "";
        Row(grid, "size", $"{Size(artifact.Bytes)}, {artifact.Method}{rank}");
        foreach (var (name, value) in artifact.Metrics ?? new Dictionary<string, double>())
            Row(grid, name, value.ToString("0.####", CultureInfo.InvariantCulture));
        console.Write(grid);
    }

    private static void Row(Grid grid, string name, string value) => grid.AddRow(new Text(name), new Text(value));

    private static async Task<string?> FolderAsync(ApiClient client, FineTuneJob run, string uri, CancellationToken cancellation)
    {
        if (SourceParser.Parse(uri, SourceOptions.ClusterOnly).Source is not Source.Pvc source) return null;
        var claim = await client.GetAsync<V1PersistentVolumeClaim>(source.Claim, run.Metadata.NamespaceProperty, cancellation);
        if (claim?.Spec.VolumeName is not { Length: > 0 } name) return null;
        var volume = await client.GetAsync<V1PersistentVolume>(name, null, cancellation);
        return volume?.Spec.HostPath?.Path is { } root ? Path.Combine(root, source.Path) : null;
    }

    private static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");
}
