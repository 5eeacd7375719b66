using Graft.Modeling.Adapters;
using Graft.Modeling.Kernels;
using Graft.Modeling.Models;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>One sequence's part of the tokens that go through the model together.</summary>
/// <param name="Start">Index of its first token among the (N) tokens; segments follow one another without gaps.</param>
/// <param name="Length">Its tokens, at least one; those of its lead included.</param>
/// <param name="Cache">Keys and values of what came before; null: the segment is a whole text and nothing is kept.</param>
/// <param name="Adapter">The adapter that answers; null: the method being trained if one is attached and enabled, else the base alone.</param>
/// <param name="Lead">
/// What stands before the text (<see cref="Transformer.LeadOf"/>), where the segment begins it. The ids of its tokens are not looked at; a
/// cache holds its keys and values already (<see cref="Transformer.Prime"/>).
/// </param>
public readonly record struct Segment(int Start, int Length, KvCache? Cache = null, LoadedAdapter? Adapter = null, Lead Lead = default);

/// <summary>Neighbouring rows for which the same adapter answers.</summary>
internal readonly record struct Span(int Start, int Length, Attachment? Attachment);

/// <summary>
/// What one forward pass runs over: the tokens of all sequences, one after another and never padded, and how they are cut
/// into sequences. Linear layers see all (N) tokens; attention stays within a segment and its cache.
/// </summary>
public sealed class Pass : IDisposable
{
    private readonly Dictionary<(Rope, ScalarType), (Tensor Cos, Tensor Sin)> rotary = [];
    private readonly Dictionary<(long, long, int?), Tensor> masks = [];
    private readonly Dictionary<Attachment, Tensor> prompts = [], prefixes = [];
    private IReadOnlyList<Attachment?> attachments = [];

    /// <param name="tokenTypes">(N) int64 for encoders that tell parts of a text apart; null: all are of type 0. The caller's.</param>
    /// <exception cref="ArgumentException">The segments leave gaps, are empty, do not fit their caches, or share one.</exception>
    public Pass(IReadOnlyList<Segment> segments, Device device, Tensor? tokenTypes = null)
    {
        if (segments.Count == 0) throw new ArgumentException("A pass needs at least one segment.", nameof(segments));
        Segments = segments;
        Device = device;
        TokenTypes = tokenTypes;
        var positions = new List<long>();
        foreach (var segment in segments)
        {
            if (segment.Start != positions.Count || segment.Length < 1)
                throw new ArgumentException($"The segment at {segment.Start} of length {segment.Length} does not follow the {positions.Count} tokens before it.", nameof(segments));
            var past = Before(segment);
            if (segment.Length < segment.Lead.Tokens)
                throw new ArgumentException($"A segment of {segment.Length} tokens with a lead of {segment.Lead.Tokens}.", nameof(segments));
            if (segment.Cache is { } cache && past + segment.Length > cache.Capacity)
                throw new ArgumentException($"A cache of {cache.Capacity} tokens that holds {past} has no room for {segment.Length} more.", nameof(segments));
            for (var i = 0; i < segment.Length; i++) positions.Add(past + i);
            LongestText = Math.Max(LongestText, past + segment.Length);
        }
        var caches = segments.Select(s => s.Cache).OfType<KvCache>().ToList();
        if (caches.Distinct().Count() < caches.Count)
            throw new ArgumentException("Two segments share a cache, which holds one sequence.", nameof(segments));
        TokenCount = positions.Count;
        if (tokenTypes is not null && tokenTypes.numel() != TokenCount)
            throw new ArgumentException($"{tokenTypes.numel()} token types for {TokenCount} tokens.", nameof(tokenTypes));
        Positions = tensor(positions, device: device).DetachFromDisposeScope();
        Groups = FindGroups(segments);
    }

    /// <summary>A pass over whole texts of these lengths, without caches: training and scoring.</summary>
    public static Pass OfLengths(IReadOnlyList<int> lengths, Device device, Tensor? tokenTypes = null)
    {
        var segments = new List<Segment>(lengths.Count);
        var at = 0;
        foreach (var length in lengths)
        {
            segments.Add(new Segment(at, length));
            at += length;
        }
        return new Pass(segments, device, tokenTypes);
    }

    public IReadOnlyList<Segment> Segments { get; }
    public Device Device { get; }

    /// <summary>N.</summary>
    public int TokenCount { get; }

    /// <summary>Tokens of the longest text, with those that its cache holds.</summary>
    internal int LongestText { get; }

    /// <summary>(N) int64, or null.</summary>
    internal Tensor? TokenTypes { get; }

    /// <summary>(N) int64: each token's position in its sequence.</summary>
    internal Tensor Positions { get; }

    /// <summary>What the backward pass hands from one function to the next.</summary>
    internal GradientBin Gradients { get; } = new();

    /// <summary>Segments that attention handles in one call: neighbours of one length without caches; any other alone.</summary>
    internal IReadOnlyList<(int First, int Count)> Groups { get; }

    /// <summary>Neighbouring tokens that the same adapter answers for; known once a network has begun with the pass.</summary>
    internal IReadOnlyList<Span> Spans { get; private set; } = [];

    /// <summary>The same of whole segments: neighbouring texts.</summary>
    internal IReadOnlyList<Span> SpansOfTexts { get; private set; } = [];

    /// <summary>What answers for all segments.</summary>
    /// <exception cref="InvalidOperationException">Several adapters do.</exception>
    internal Attachment? Only =>
        Spans is [var all] ? all.Attachment : throw new InvalidOperationException($"{Spans.Count} adapters answer in this pass.");

    /// <summary>Finds out what answers for each segment.</summary>
    /// <exception cref="ArgumentException">A segment has no room for what its adapter puts before the text.</exception>
    internal void Bind(Func<LoadedAdapter?, Attachment?> of)
    {
        attachments = [.. Segments.Select(s => of(s.Adapter))];
        for (var i = 0; i < Segments.Count; i++)
        {
            var (segment, lead) = (Segments[i], attachments[i]?.Lead ?? default);
            var begins = segment.Cache is not { Length: var held } || held <= lead.Keys;
            var wanted = !begins ? default : segment.Cache is null ? lead : lead with { Keys = 0 };
            if (segment.Cache is { } cache && cache.Primed != lead.Keys)
                throw new ArgumentException($"A cache begins with {cache.Primed} keys of an adapter, but the segment's adapter has {lead.Keys}.");
            if (segment.Lead != wanted)
                throw new ArgumentException($"A segment has {segment.Lead} before its text, but its adapter {wanted}.");
        }
        Spans = Merge([.. Segments.Select((s, i) => new Span(s.Start, s.Length, attachments[i]))]);
        SpansOfTexts = Merge([.. attachments.Select((a, i) => new Span(i, 1, a))]);
        DropLeads();
    }

    /// <summary>(P, C): what the adapter of a segment puts before its text. Computed once for all segments.</summary>
    internal Tensor PromptOf(int segment, ScalarType dtype) =>
        LeadOf(prompts, segment, a => a.Prompt!.Vectors(dtype));

    /// <summary>(layers, 2, G, P, D): keys and values that the adapter of a segment has before its text. Computed once for all layers.</summary>
    internal Tensor PrefixOf(int segment, ScalarType dtype) =>
        LeadOf(prefixes, segment, a => a.Prefix!.KeysAndValues(dtype));

    private Tensor LeadOf(Dictionary<Attachment, Tensor> known, int segment, Func<Attachment, Tensor> make)
    {
        var attachment = attachments[segment]!;
        if (known.TryGetValue(attachment, out var made)) return made;
        using var scope = NewDisposeScope();
        made = make(attachment).DetachFromDisposeScope();
        known.Add(attachment, made);
        return made;
    }

    private void DropLeads()
    {
        foreach (var tensor in prompts.Values.Concat(prefixes.Values)) tensor.Dispose();
        prompts.Clear();
        prefixes.Clear();
    }

    /// <summary>Positions of a text before a segment.</summary>
    private static int Before(Segment segment) => segment.Cache?.Length ?? segment.Lead.Keys;

    /// <summary>
    /// Cosines and sines of the rotary angles, both (N, 1, R / 2): position times frequency. Computed once for all layers.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// A cache holds keys that were turned by other angles; see <see cref="CausalLM.Outgrows"/>.
    /// </exception>
    internal (Tensor Cos, Tensor Sin) Rotary(Rope rope, ScalarType dtype)
    {
        if (rotary.TryGetValue((rope, dtype), out var known)) return known;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var frequencies = rope.DependsOnLength ? FrequenciesOfTexts(rope) : tensor(rope.Frequencies(0), [1, rope.Size / 2], device: Device);
        var angles = Positions.to_type(ScalarType.Float32).unsqueeze(1).mul(frequencies).unsqueeze(1);   // (N, 1, R / 2)
        var (cos, sin) = (angles.cos(), angles.sin());
        if (rope.Amplitude != 1)
        {
            using TorchSharp.Scalar amplitude = rope.Amplitude;
            (cos, sin) = (cos.mul(amplitude), sin.mul(amplitude));
        }
        var made = (cos.to_type(dtype).DetachFromDisposeScope(), sin.to_type(dtype).DetachFromDisposeScope());
        rotary.Add((rope, dtype), made);
        return made;
    }

    /// <summary>(N, R / 2): each token's frequencies, which are those of its text's length.</summary>
    private Tensor FrequenciesOfTexts(Rope rope)
    {
        var half = rope.Size / 2;
        var rows = new float[TokenCount * half];
        foreach (var segment in Segments)
        {
            var past = Before(segment);
            var length = past + segment.Length;
            // Keys of an adapter are not turned.
            if (past > (segment.Cache?.Primed ?? segment.Lead.Keys) && !rope.Agrees(past, length))
                throw new InvalidOperationException($"Keys of {past} tokens in a cache do not go with a text of {length}: compute it anew.");
            var frequencies = rope.Frequencies(length);
            for (var i = 0; i < segment.Length; i++) frequencies.CopyTo(rows, (segment.Start + i) * half);
        }
        return tensor(rows, [TokenCount, half], device: Device);
    }

    /// <summary>
    /// (T, S) bool: which of a text's S tokens each of its last T sees, that is itself and those before it, at most as many as the window.
    /// </summary>
    internal Tensor Mask(long tokens, long all, int? window)
    {
        if (masks.TryGetValue((tokens, all, window), out var known)) return known;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var past = all - tokens;
        var mask = ones(tokens, all, ScalarType.Bool, Device).tril(past);
        if (window is { } most) mask = mask.triu(past - most + 1);
        masks.Add((tokens, all, window), mask.DetachFromDisposeScope());
        return mask;
    }

    /// <exception cref="ArgumentException">A text is longer than what the model has positions for.</exception>
    internal void CheckLength(long most)
    {
        if (LongestText > most) throw new ArgumentException($"A text of {LongestText} tokens, but the model has learned {most} positions.");
    }

    /// <summary>Tells the caches that a forward pass has filled them.</summary>
    internal void Advance()
    {
        foreach (var segment in Segments) segment.Cache?.Advance(segment.Length);
    }

    public void Dispose()
    {
        Gradients.Dispose();
        Positions.Dispose();
        foreach (var (cos, sin) in rotary.Values)
        {
            cos.Dispose();
            sin.Dispose();
        }
        rotary.Clear();
        foreach (var mask in masks.Values) mask.Dispose();
        masks.Clear();
        DropLeads();
    }

    private static List<(int, int)> FindGroups(IReadOnlyList<Segment> segments)
    {
        var groups = new List<(int First, int Count)>();
        for (var i = 0; i < segments.Count; i++)
        {
            var joins = groups.Count > 0 && segments[i].Cache is null && segments[i - 1].Cache is null
                && segments[i].Length == segments[i - 1].Length && SameKeys(segments[i], segments[i - 1]);
            if (joins) groups[^1] = (groups[^1].First, groups[^1].Count + 1);
            else groups.Add((i, 1));
        }
        return groups;
    }

    private static bool SameKeys(Segment a, Segment b) =>
        (a.Lead.Keys == 0 && b.Lead.Keys == 0) || (a.Lead == b.Lead && ReferenceEquals(a.Adapter, b.Adapter));

    /// <summary>Neighbours with the same adapter as one.</summary>
    internal static List<Span> Merge(IReadOnlyList<Span> parts)
    {
        var spans = new List<Span>();
        foreach (var part in parts)
        {
            if (spans.Count > 0 && ReferenceEquals(spans[^1].Attachment, part.Attachment))
                spans[^1] = spans[^1] with { Length = spans[^1].Length + part.Length };
            else spans.Add(part);
        }
        return spans;
    }
}
