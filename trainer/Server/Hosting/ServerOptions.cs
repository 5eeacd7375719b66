using System.Net;
using Graft.Contract;
using Graft.Server.Engine;

namespace Graft.Server.Hosting;

/// <summary>How a server is started.</summary>
internal sealed record ServerOptions
{
    /// <summary>
    /// Folder, <c>.gguf</c> file or source, as given: a contract path is moved where its variable points when it is opened.
    /// </summary>
    public required string Model { get; init; }

    /// <summary>Folder with the files to fetch the model with; null: none.</summary>
    public string? Credentials { get; init; }

    /// <summary>What requests call the base.</summary>
    public required string ServedModelName { get; init; }

    /// <summary>Where it listens.</summary>
    public required IPEndPoint Endpoint { get; init; }
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>How the base's weights are kept; null: as its files have them.</summary>
    public Quantization? Quantization { get; init; }
    public EngineLimits Limits { get; init; } = new();

    /// <summary>Longest prompt and answer together; null: the model's own.</summary>
    public int? MaxContext { get; init; }
    public int MaxAdapters { get; init; } = 64;

    /// <summary>Folders besides <c>/artifacts/CLAIM</c> that adapters may be loaded from.</summary>
    public IReadOnlyList<string> AdapterRoots { get; init; } = [];

    /// <summary>How long answers that are being written may take when the server is told to stop.</summary>
    public TimeSpan GracePeriod { get; init; } = TimeSpan.FromSeconds(25);
    public long MaxRequestBytes { get; init; } = 8 << 20;
}
