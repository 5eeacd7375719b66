using Graft.Contract;

namespace Graft.Operator.Sources;

/// <summary>A source: a claim's folder or a file of this machine, which are mounted, or a place that the pod fetches it from.</summary>
internal abstract record Source(string Text)
{
    /// <param name="Claim">Name of the PersistentVolumeClaim.</param>
    /// <param name="Path">Below the claim's root, without a leading slash; empty for the root.</param>
    public sealed record Pvc(string Text, string Claim, string Path) : Source(Text);

    /// <param name="Path">Absolute, without <c>.</c> or <c>..</c> parts.</param>
    public sealed record File(string Text, string Path) : Source(Text);

    public sealed record Remote(string Text, SourceUri Uri) : Source(Text);
}

/// <summary>Why a source cannot be used; <paramref name="Reason"/> becomes the condition's reason.</summary>
internal sealed record SourceError(string Reason, string Message);

/// <summary>What the operator's options say about sources.</summary>
internal sealed record SourceOptions
{
    public static SourceOptions ClusterOnly { get; } = new();

    /// <summary>Whether <c>file://</c> means something here: only where pods run on the machine that the person sits at.</summary>
    public bool AllowFiles { get; init; }

    /// <summary>The folder that <c>file://./…</c> starts from.</summary>
    public string? FileRoot { get; init; }

    /// <summary>Source as written in a manifest -> absolute path to take instead.</summary>
    public IReadOnlyDictionary<string, string> Substitutes { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How pods fetch what is not mounted.</summary>
    public FetchSettings Fetch { get; init; } = new();

    /// <summary>
    /// Whether there is something at a path of this machine; null where the operator cannot look, because pods run
    /// elsewhere.
    /// </summary>
    public Func<string, bool>? Exists { get; init; }
}
