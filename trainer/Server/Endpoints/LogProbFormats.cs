using Graft.Modeling;
using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

/// <summary>Log probabilities in the two shapes that OpenAI's endpoints have for them.</summary>
internal static class LogProbFormats
{
    /// <param name="offset">Characters of text before the first of these tokens.</param>
    public static CompletionLogprobs OfCompletion(IReadOnlyList<TokenLogProb> tokens, ITokenizer tokenizer, int offset = 0)
    {
        string[] texts = [.. tokens.Select(t => Text(t.Id, tokenizer))];
        var offsets = new int[texts.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            offsets[i] = offset;
            offset += texts[i].Length;
        }
        return new CompletionLogprobs(
            texts, [.. tokens.Select(t => t.LogProb)], [.. tokens.Select(t => Alternatives(t, tokenizer))], offsets);
    }

    public static ChatLogprobs OfChat(IReadOnlyList<TokenLogProb> tokens, ITokenizer tokenizer) => new([.. tokens.Select(t =>
        new ChatTokenLogprob(
            Text(t.Id, tokenizer), t.LogProb, Bytes(t.Id, tokenizer),
            [.. t.Top.Select(a => new ChatTopLogprob(Text(a.Id, tokenizer), a.LogProb, Bytes(a.Id, tokenizer)))]))]);

    // Different tokens may read the same, where each is a part of one character: the most probable of them stands for all.
    private static Dictionary<string, double> Alternatives(TokenLogProb token, ITokenizer tokenizer)
    {
        Dictionary<string, double> alternatives = new(StringComparer.Ordinal);
        foreach (var (id, logProb) in token.Top) alternatives.TryAdd(Text(id, tokenizer), logProb);
        alternatives.TryAdd(Text(token.Id, tokenizer), token.LogProb);
        return alternatives;
    }

    private static string Text(int id, ITokenizer tokenizer) => tokenizer.Decode([id], skipSpecialTokens: false);

    private static List<int> Bytes(int id, ITokenizer tokenizer)
    {
        List<int> bytes = [];
        foreach (var b in tokenizer.BytesOf(id, skipSpecialTokens: false)) bytes.Add(b);
        return bytes;
    }
}
