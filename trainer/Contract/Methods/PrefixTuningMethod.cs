namespace Graft.Contract;

/// <summary>
/// Keys and values that train stand before those of the text in every block's attention (Li and Liang 2021, arXiv:2101.00190; without a
/// projection: P-tuning v2, Liu et al. 2021, arXiv:2110.07602).
/// </summary>
/// <param name="VirtualTokens">How many in each block; they count towards the model's longest input.</param>
/// <param name="Projection">A network that computes them while it trains; what is saved is what it computed. Null: none.</param>
public sealed record PrefixTuningMethod(int VirtualTokens = 20, PrefixProjection? Projection = null);

/// <summary>Two linear layers with tanh between them, over an embedding of the virtual tokens.</summary>
/// <param name="HiddenSize">Null: the model's hidden size.</param>
public sealed record PrefixProjection(int? HiddenSize = null);
