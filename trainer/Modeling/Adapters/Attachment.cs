using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// What a method puts onto a network, and where: at linear layers, at the table of embeddings, where the halves of a block meet the
/// residual stream, and before the text. What is absent leaves the network alone. It owns what was added to it.
/// </summary>
internal sealed class Attachment : IDisposable
{
    private readonly Dictionary<int, LinearAdapter> linears = [];
    private readonly Dictionary<int, ResidualAdapter> residuals = [];
    private readonly Dictionary<int, Tensor> biases = [];

    public IReadOnlyDictionary<int, LinearAdapter> Linears => linears;
    public EmbeddingAdapter? Embedding { get; set; }
    public SoftPrompt? Prompt { get; set; }
    public KeyValuePrefix? Prefix { get; set; }

    /// <summary>What stands before each text.</summary>
    public Lead Lead => new(Prompt?.Length ?? 0, Prefix?.Length ?? 0);

    /// <summary>What of it cannot be put into the base's weights, in words; empty: all of it can.</summary>
    public IReadOnlyList<string> Unmergeable
    {
        get
        {
            var parts = new List<string>();
            if (Prompt is not null) parts.Add("virtual tokens before the text");
            if (Prefix is not null) parts.Add("keys and values before the text");
            if (residuals.Count > 0) parts.Add("layers of their own in the residual stream");
            return parts;
        }
    }

    public void Add(LinearSite site, LinearAdapter adapter) => linears.Add(site.Index, adapter);

    public void Add(ResidualSite site, ResidualAdapter adapter) => residuals.Add(site.Index, adapter);

    /// <param name="bias">(C), in the norm's place of its own.</param>
    public void Add(NormSite site, Tensor bias) => biases.Add(site.Index, bias);

    /// <summary>(C): what a norm has in the place of its bias, or null.</summary>
    public Tensor? BiasAt(NormSite site) => biases.GetValueOrDefault(site.Index);

    public LinearAdapter? At(LinearSite site) => linears.GetValueOrDefault(site.Index);

    public ResidualAdapter? At(ResidualSite site) => residuals.GetValueOrDefault(site.Index);

    public void Dispose()
    {
        foreach (var adapter in linears.Values) adapter.Dispose();
        foreach (var adapter in residuals.Values) adapter.Dispose();
        foreach (var bias in biases.Values) bias.Dispose();
        Embedding?.Dispose();
        Prompt?.Dispose();
        Prefix?.Dispose();
    }
}
