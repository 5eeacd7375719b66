using System.Text;
using System.Threading.Channels;
using Graft.Modeling;
using Graft.Server.Engine;

namespace Graft.Server.Endpoints;

/// <summary>A whole answer.</summary>
/// <param name="Tokens">Tokens generated, the one that ended it included.</param>
internal sealed record Answer(string Text, int Tokens, FinishReason Finish, IReadOnlyList<TokenLogProb> LogProbs);

/// <summary>Reads answers as the engine writes them.</summary>
internal static class Answers
{
    public static async Task<Answer> CompleteAsync(Sequence sequence, CancellationToken cancel)
    {
        var text = new StringBuilder();
        List<TokenLogProb> logProbs = [];
        var tokens = 0;
        FinishReason? finish = null;
        await foreach (var piece in sequence.Pieces.ReadAllAsync(cancel))
        {
            text.Append(piece.Text);
            if (piece.LogProb is not null) logProbs.Add(piece.LogProb);
            tokens++;
            finish = piece.Finish;
        }
        return new Answer(text.ToString(), tokens, finish ?? throw new InvalidOperationException("The answer has no end."), logProbs);
    }

    /// <summary>Pieces of several answers in the order in which they come, each with its answer's index.</summary>
    public static async IAsyncEnumerable<(int Index, Piece Piece)> MergeAsync(
        IReadOnlyList<Sequence> sequences, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var merged = Channel.CreateUnbounded<(int, Piece)>(new() { SingleReader = true });
        var all = Task.WhenAll(sequences.Select((sequence, index) => PumpAsync(sequence, index)));
        _ = all.ContinueWith(t => merged.Writer.TryComplete(t.Exception?.InnerException), TaskScheduler.Default);
        await foreach (var item in merged.Reader.ReadAllAsync(cancel)) yield return item;

        async Task PumpAsync(Sequence sequence, int index)
        {
            await foreach (var piece in sequence.Pieces.ReadAllAsync(cancel)) merged.Writer.TryWrite((index, piece));
        }
    }

    public static string Name(FinishReason finish) => finish == FinishReason.Stop ? "stop" : "length";
}
