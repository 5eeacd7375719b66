using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>Hidden states (N, C) of the tokens to one vector (B, C) for each text.</summary>
internal delegate Tensor Pooler(Tensor hidden, Pass pass);

/// <summary>The poolings that there are.</summary>
internal static class Poolers
{
    /// <summary>tanh of a linear layer on the first token.</summary>
    public static Pooler FirstToken(Transformer network, ModelConfig c, string name)
    {
        var dense = network.Pooling(name, c.HiddenSize);
        return (hidden, pass) => Adapted.LinearOfTexts(dense, hidden.index_select(0, FirstTokens(pass)), pass).tanh();
    }

    /// <returns>(B) int64.</returns>
    public static Tensor FirstTokens(Pass pass) => tensor(pass.Segments.Select(s => (long)s.Start).ToArray(), device: pass.Device);
}
