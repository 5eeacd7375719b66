using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Writes on from prompts. Not thread-safe: all work of a process's torch happens on one thread.</summary>
public sealed class TextGenerator(BaseModel model)
{
    public BaseModel Model { get; } = model;

    /// <exception cref="ArgumentException">The prompt is empty, or leaves no room for an answer.</exception>
    public GenerationResult Generate(
        IReadOnlyList<int> promptIds, SamplingOptions options, LoadedAdapter? adapter = null, CancellationToken cancellation = default) =>
        GenerateBatch([promptIds], options, adapter, 1, cancellation)[0];

    /// <summary>The same for many prompts, several at a time; results in the order of the prompts.</summary>
    /// <exception cref="ArgumentException">A prompt is empty, or leaves no room for an answer.</exception>
    public IReadOnlyList<GenerationResult> GenerateBatch(
        IReadOnlyList<IReadOnlyList<int>> prompts, SamplingOptions options, LoadedAdapter? adapter = null, int batchSize = 16,
        CancellationToken cancellation = default)
    {
        var results = new GenerationResult[prompts.Count];
        var running = new List<(int Index, GenerationSequence Sequence)>();
        var next = 0;
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                // A finished answer makes room for the next prompt at once.
                while (running.Count < batchSize && next < prompts.Count)
                {
                    running.Add((next, new GenerationSequence(Model, prompts[next], options, adapter)));
                    next++;
                }
                if (running.Count == 0) return results;
                Step([.. running.Select(r => r.Sequence)]);
                foreach (var (index, sequence) in running.Where(r => r.Sequence.Finish is not null))
                {
                    results[index] = sequence.Result;
                    sequence.Dispose();
                }
                running.RemoveAll(r => r.Sequence.Finish is not null);
            }
        }
        finally
        {
            foreach (var (_, sequence) in running) sequence.Dispose();
        }
    }

    /// <summary>One pass over the sequences that are not finished: the prompt of new ones, the last token of the others, together.</summary>
    /// <param name="promptTokens">
    /// Prompt tokens to take in at most, shared fairly; the rest follows in later steps, so that a long prompt does not hold up those
    /// who write, nor shorter prompts.
    /// </param>
    /// <returns>The next token of each sequence whose prompt is taken in.</returns>
    public IReadOnlyList<StepOutput> Step(IReadOnlyList<GenerationSequence> sequences, int promptTokens = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(promptTokens, 1);
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var (ids, segments, lasts, going) = (new List<long>(), new List<Segment>(), new List<long>(), new List<GenerationSequence>());
        var shares = PromptShares(sequences, promptTokens);
        foreach (var sequence in sequences.Where(s => s.Finish is null))
        {
            var together = sequence.StartAnewIfOutgrown();
            var count = together ? sequence.UnseenCount : shares.GetValueOrDefault(sequence, sequence.UnseenCount);
            if (count == 0) continue;
            var lead = sequence.NextLead;
            segments.Add(new Segment(ids.Count, lead.Tokens + count, sequence.Cache, sequence.Adapter, lead));
            ids.AddRange(Enumerable.Repeat(0L, lead.Tokens));
            ids.AddRange(sequence.Unseen.Take(count).Select(i => (long)i));
            if (count < sequence.UnseenCount) continue;
            going.Add(sequence);
            lasts.Add(ids.Count - 1);
        }
        if (segments.Count == 0) return [];
        using var pass = new Pass(segments, Model.Device);
        var hidden = Model.Network.Forward(tensor(ids, device: Model.Device), pass);
        if (going.Count == 0) return [];
        var last = hidden.index_select(0, tensor(lasts, device: Model.Device));                  // (B, C)
        var logits = Model.Network.Logits(last, [.. going.Select(s => s.Adapter)]).cpu();        // (B, V)
        var values = Values(logits);
        var outputs = new List<StepOutput>(going.Count);
        for (var i = 0; i < going.Count; i++)
            outputs.Add(going[i].Take(values.Slice(i * Model.Config.VocabularySize, Model.Config.VocabularySize)));
        return outputs;
    }

    /// <summary>Where a tensor's values lie; no longer than the tensor does.</summary>
    private static unsafe ReadOnlySpan<float> Values(Tensor tensor) => new((void*)Aten.DataPointer(tensor), checked((int)tensor.numel()));

    /// <summary>
    /// How much of each prompt enters: an equal share, and what short prompts leave of theirs goes to longer ones (max-min fairness).
    /// </summary>
    private static Dictionary<GenerationSequence, int> PromptShares(IReadOnlyList<GenerationSequence> sequences, long tokens)
    {
        var prompts = sequences.Where(s => s.Finish is null && s.GeneratedIds.Count == 0).OrderBy(s => s.UnseenCount).ToList();
        var shares = new Dictionary<GenerationSequence, int>(prompts.Count);
        for (var i = 0; i < prompts.Count; i++)
        {
            var left = prompts.Count - i;
            var share = (int)Math.Min(prompts[i].UnseenCount, (tokens + left - 1) / left);
            shares[prompts[i]] = share;
            tokens -= share;
        }
        return shares;
    }

    /// <summary>Natural log probability of every token after the first, under the model.</summary>
    public IReadOnlyList<double> Score(IReadOnlyList<int> ids, LoadedAdapter? adapter = null)
    {
        if (ids.Count < 2) return [];
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var lead = Model.Transformer.LeadOf(adapter);
        using var pass = new Pass([new Segment(0, lead.Tokens + ids.Count, null, adapter, lead)], Model.Device);
        var all = tensor(ids.Select(i => (long)i).ToArray(), device: Model.Device);
        var hidden = Model.Network.Forward(cat([zeros(lead.Tokens, ScalarType.Int64, Model.Device), all]), pass)
            .narrow(0, lead.Tokens, ids.Count);
        var scores = new List<double>(ids.Count - 1);
        const int rowsAtOnce = 128;
        for (var at = 0; at < ids.Count - 1; at += rowsAtOnce)
        {
            using var inner = NewDisposeScope();
            var rows = Math.Min(rowsAtOnce, ids.Count - 1 - at);
            var logProbs = nn.functional.log_softmax(Model.Network.Logits(hidden.narrow(0, at, rows), adapter), 1);
            scores.AddRange(logProbs.gather(1, all.narrow(0, at + 1, rows).unsqueeze(1)).cpu().data<float>().Select(v => (double)v));
        }
        return scores;
    }
}

/// <param name="Text">What became certain with this token; may be empty while a character or a stop string may still be completed.</param>
/// <param name="Finish">Set with the last token; <paramref name="Text"/> then holds all that was left.</param>
public sealed record StepOutput(GenerationSequence Sequence, int Id, string Text, FinishReason? Finish, TokenLogProb? LogProb);
