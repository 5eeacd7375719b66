using System.Threading.Channels;
using Graft.Modeling;
using Graft.Server.Adapters;

namespace Graft.Server.Engine;

internal enum SequenceState { Waiting, Running, Finished }

/// <summary>
/// One prompt on its way to its answer. The request's thread makes it and reads <see cref="Pieces"/>; everything else belongs to
/// the engine's thread from the moment it is submitted.
/// </summary>
/// <param name="model">The name that the request gave.</param>
/// <param name="lease">A hold on the adapter that answers, given back at the end; null for the base.</param>
/// <param name="arrival">Timestamp of the request, on the engine's clock.</param>
internal sealed class Sequence(
    string model, IReadOnlyList<int> prompt, SamplingOptions options, AdapterLease? lease, long arrival, CancellationToken cancelled)
{
    private readonly Channel<Piece> pieces = Channel.CreateUnbounded<Piece>(new() { SingleReader = true, SingleWriter = true });

    public string Model { get; } = model;
    public int PromptLength { get; } = prompt.Count;
    public long Arrival { get; } = arrival;
    public ChannelReader<Piece> Pieces => pieces.Reader;
    public bool IsCancelled => cancelled.IsCancellationRequested;

    public SequenceState State { get; private set; } = SequenceState.Waiting;

    /// <summary>The model's side of it while it runs.</summary>
    public IDisposable? Answer { get; private set; }
    public bool HasBegun { get; private set; }

    public void Start(IEngineModel engineModel)
    {
        Answer = engineModel.Start(prompt, options, lease?.Weights);
        State = SequenceState.Running;
    }

    public void Take(Piece piece)
    {
        HasBegun = true;
        pieces.Writer.TryWrite(piece);
        if (piece.Finish is not null) End(null);
    }

    /// <summary>Gives back what the sequence holds; the reader meets <paramref name="error"/> after the last piece.</summary>
    public void End(Exception? error)
    {
        if (State == SequenceState.Finished) return;
        State = SequenceState.Finished;
        Answer?.Dispose();
        Answer = null;
        lease?.Dispose();
        pieces.Writer.TryComplete(error);
    }
}
