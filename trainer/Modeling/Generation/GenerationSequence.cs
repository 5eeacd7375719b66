using System.Text;
using Graft.Modeling.Generation;

namespace Graft.Modeling;

/// <summary>One answer being written: prompt, cache, sampling state. Dispose it to free its cache.</summary>
public sealed class GenerationSequence : IDisposable
{
    private readonly BaseModel model;
    private readonly Sampler sampler;
    private readonly IncrementalDecoder? decoder;
    private readonly StopDetector stops;
    private readonly List<int> generated = [];
    private readonly List<TokenLogProb> logProbs = [];
    private readonly StringBuilder text = new();
    private readonly Lead lead;
    private readonly int most;

    /// <exception cref="ArgumentException">The prompt is empty, holds ids that the model does not have, or leaves no room for an answer.</exception>
    public GenerationSequence(BaseModel model, IReadOnlyList<int> promptIds, SamplingOptions options, LoadedAdapter? adapter = null)
    {
        if (promptIds.Count == 0) throw new ArgumentException("The prompt is empty.", nameof(promptIds));
        lead = model.Transformer.LeadOf(adapter);
        if (lead.Count + promptIds.Count >= model.MaxLength)
            throw new ArgumentException($"The prompt has {promptIds.Count} tokens{(lead.Count > 0 ? $" behind {lead.Count} of its adapter" : "")}, "
                + $"but the model takes {model.MaxLength} with the answer.", nameof(promptIds));
        if (promptIds.Any(i => i < 0 || i >= model.Config.VocabularySize)) throw new ArgumentException("The prompt holds ids that the model does not have.", nameof(promptIds));
        if (options.MaxTokens < 1) throw new ArgumentException($"MaxTokens is {options.MaxTokens}; it must be at least 1.", nameof(options));
        if (options.MinP is not (>= 0 and <= 1)) throw new ArgumentException($"MinP is {options.MinP}; it must be from 0 to 1.", nameof(options));
        if (options.RepetitionPenalty is not (> 0 and < double.PositiveInfinity))
            throw new ArgumentException($"RepetitionPenalty is {options.RepetitionPenalty}; it must be above 0.", nameof(options));
        this.model = model;
        (PromptIds, Options, Adapter) = (promptIds, options, adapter);
        most = Math.Min(options.MaxTokens, model.MaxLength - lead.Count - promptIds.Count);
        sampler = new Sampler(options, promptIds);
        decoder = model.HasTokenizer ? new IncrementalDecoder(model.Tokenizer) : null;
        stops = new StopDetector(options.Stop);
        Cache = new KvCache(model.Config, lead.Count + promptIds.Count + most, model.Device, model.DType);
        model.Transformer.Prime(Cache, adapter);
    }

    public IReadOnlyList<int> PromptIds { get; }
    public SamplingOptions Options { get; }
    public LoadedAdapter? Adapter { get; }
    public IReadOnlyList<int> GeneratedIds => generated;
    public FinishReason? Finish { get; private set; }

    /// <summary>What was generated so far.</summary>
    public GenerationResult Result =>
        new([.. generated], text.ToString(), Finish ?? FinishReason.Length, PromptIds.Count, Options.TopLogProbs is null ? null : [.. logProbs]);

    internal KvCache Cache { get; }

    private IReadOnlyCollection<int> EndIds => model.HasTokenizer ? model.Tokenizer.EndOfGenerationIds : model.Config.EosIds;

    /// <summary>What the next segment has before its text: the tokens of a lead, where the text begins.</summary>
    internal Lead NextLead => Cache.Length <= lead.Keys ? lead with { Keys = 0 } : default;

    /// <summary>Tokens that the cache does not hold: what is left of the prompt, or the last token.</summary>
    internal IEnumerable<int> Unseen => Held < PromptIds.Count ? PromptIds.Skip(Held).Concat(generated) : generated.Skip(Held - PromptIds.Count);
    internal int UnseenCount => PromptIds.Count + generated.Count - Held;

    /// <summary>Tokens of the text that the cache holds.</summary>
    private int Held => Math.Max(0, Cache.Length - lead.Count);

    /// <summary>
    /// Empties a cache that the text outgrows with its unseen tokens. Such a text cannot be taken in by parts either, because those before
    /// would have to be computed anew.
    /// </summary>
    /// <returns>Whether all that is unseen must be computed together.</returns>
    internal bool StartAnewIfOutgrown()
    {
        var length = lead.Count + PromptIds.Count + generated.Count;
        if (Held > 0 && model.Network.Outgrows(Cache.Length, length)) Cache.Truncate(lead.Keys);
        return Held == 0 && model.Network.Outgrows(1, length);
    }

    /// <summary>Takes the next token by its logits.</summary>
    /// <param name="logits">(V).</param>
    internal StepOutput Take(ReadOnlySpan<float> logits)
    {
        var id = sampler.Next(logits);
        generated.Add(id);
        var logProb = Options.TopLogProbs is { } top ? Sampler.LogProbs(logits, id, top) : null;
        if (logProb is not null) logProbs.Add(logProb);
        var ends = (!Options.IgnoreEndOfGeneration && EndIds.Contains(id)) || Options.StopIds?.Contains(id) == true;
        // The token that ends an answer is not part of what it says.
        var added = ends ? "" : stops.Add(decoder?.Add(id) ?? "");
        if (ends || stops.Stopped) Finish = FinishReason.Stop;
        else if (generated.Count >= most) Finish = FinishReason.Length;
        if (Finish is not null && !stops.Stopped) added += stops.Add(decoder?.Finish() ?? "") + stops.Finish();
        text.Append(added);
        return new StepOutput(this, id, added, Finish, logProb);
    }

    public void Dispose() => Cache.Dispose();
}
