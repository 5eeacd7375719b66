namespace Graft.Contract;

/// <summary>
/// Vectors before the text's embeddings, as in prompt tuning, that a small network computes while it trains (Liu et al. 2021,
/// arXiv:2103.10385). What is saved is what it computed.
/// </summary>
/// <param name="VirtualTokens">How many; they count towards the model's longest input.</param>
/// <param name="Encoder">Null: <see cref="PTuningEncoder.Mlp"/>.</param>
public sealed record PTuningMethod(int VirtualTokens = 20, PTuningEncoder? Encoder = null);

/// <summary>A union: exactly one member is set. The network that computes the vectors.</summary>
public sealed record PTuningEncoder
{
    public MlpEncoder? Mlp { get; init; }
    public LstmEncoder? Lstm { get; init; }
}

/// <summary>Three linear layers with ReLU between them.</summary>
/// <param name="HiddenSize">Null: the model's hidden size.</param>
public sealed record MlpEncoder(int? HiddenSize = null);

/// <summary>An LSTM in both directions, and two linear layers with ReLU between them.</summary>
/// <param name="HiddenSize">Of one direction. Null: the model's hidden size.</param>
/// <param name="Layers">Of the LSTM.</param>
/// <param name="Dropout">Between the LSTM's layers.</param>
public sealed record LstmEncoder(int? HiddenSize = null, int Layers = 2, double Dropout = 0);
