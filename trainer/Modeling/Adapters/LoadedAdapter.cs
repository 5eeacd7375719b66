using Graft.Contract;
using Graft.Modeling.Adapters;

namespace Graft.Modeling;

/// <summary>A trained adapter beside its base model, for serving. Several may lie on one base; a segment says which it wants.</summary>
public sealed class LoadedAdapter : IDisposable
{
    private readonly IReadOnlyDictionary<int, LinearAdapter> layers;

    internal LoadedAdapter(IReadOnlyDictionary<int, LinearAdapter> layers) => this.layers = layers;

    /// <summary>Reads a folder as PEFT writes it.</summary>
    /// <exception cref="ModelFormatException">It cannot be read or does not fit the model; every mismatch is listed at once.</exception>
    /// <param name="root">What the adapter's files may not leave; null: <see cref="TrustedRoot.Named"/> of its path.</param>
    public static LoadedAdapter Load(BaseModel model, string name, string folder, TrustedRoot? root = null)
    {
        folder = Path.GetFullPath(folder);
        root ??= TrustedRoot.Named(folder);
        if (!Directory.Exists(folder)) root.Resolve(folder);
        else root.Check(folder);
        return LoraLoader.Load(model, name, folder);
    }

    public required string Name { get; init; }
    public required string Folder { get; init; }
    public required AdapterFacts Facts { get; init; }

    /// <summary>Bytes in memory.</summary>
    public required long Bytes { get; init; }

    internal LinearAdapter? At(LinearSite site) => layers.GetValueOrDefault(site.Index);

    public void Dispose()
    {
        foreach (var layer in layers.Values) layer.Dispose();
    }
}
