using Graft.Modeling;
using Graft.Server.Adapters;
using Graft.Server.Protocol;

namespace Graft.Server.Engine;

/// <summary>What the <c>model</c> of a request may name: the base, and every adapter that is loaded.</summary>
/// <param name="root">The base's path, as the start of the server named it.</param>
internal sealed class ServedModels(
    string baseName, string root, InferenceEngine engine, AdapterStore adapters, TimeProvider clock)
{
    private readonly long created = clock.GetUtcNow().ToUnixTimeSeconds();

    public string BaseName => baseName;
    public ModelFacts Facts => engine.Facts;

    /// <exception cref="ApiException">503 while the model is loading.</exception>
    public ModelList List()
    {
        var length = engine.Facts.MaxLength;
        return new ModelList([
            new ModelCard(baseName, created, root, Parent: null, length),
            .. adapters.List.Select(a => new ModelCard(a.Name, a.Created, a.Path, baseName, length)),
        ]);
    }

    /// <summary>The name that a request means; a request that names none means the base.</summary>
    /// <exception cref="ApiException">404: no model has that name; 503 while the model is loading.</exception>
    public string Resolve(string? model)
    {
        _ = engine.Facts;
        if (string.IsNullOrEmpty(model) || model == baseName) return baseName;
        using var lease = adapters.TryLease(model);
        return lease is null ? throw Unknown(model) : model;
    }

    /// <summary>The base's facts with the length that an adapter's virtual tokens leave.</summary>
    public ModelFacts FactsOf(string model)
    {
        using var lease = model == baseName ? null : adapters.TryLease(model);
        return lease?.Weights is LoadedAdapter adapter ? Facts with { MaxLength = Facts.MaxLength - adapter.Lead.Count } : Facts;
    }

    /// <summary>Puts prompts into the engine's queue: all of them, or none.</summary>
    /// <exception cref="ApiException">404 when the adapter was unloaded meanwhile; 429 when the queue is full.</exception>
    public IReadOnlyList<Sequence> Submit(
        string model, IReadOnlyList<(IReadOnlyList<int> Prompt, SamplingOptions Options)> prompts, CancellationToken cancel)
    {
        var arrival = clock.GetTimestamp();
        List<AdapterLease?> leases = [];
        try
        {
            // All of a request's answers come from the same weights, also when the adapter is replaced at this moment.
            foreach (var _ in prompts)
            {
                leases.Add(
                    model == baseName ? null
                    : leases is [{ } first, ..] ? first.Share()
                    : adapters.TryLease(model) ?? throw Unknown(model));
            }
            Sequence[] sequences = [.. prompts.Zip(leases, (p, lease) => new Sequence(model, p.Prompt, p.Options, lease, arrival, cancel))];
            if (engine.TrySubmit(sequences)) return sequences;
            throw ApiException.TooManyRequests("Too many requests are waiting. Try again later.");
        }
        catch (ApiException)
        {
            foreach (var lease in leases) lease?.Dispose();
            throw;
        }
    }

    private static ApiException Unknown(string model) => ApiException.NotFound($"The model `{model}` does not exist.", "model");
}
