using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>A part of a network that works on the tokens of a pass: a norm, an attention, a feed-forward, a block of them.</summary>
/// <param name="x">(N, C).</param>
/// <returns>(N, C).</returns>
internal delegate Tensor Layer(Tensor x, Pass pass);

/// <summary>Makes one of a network's blocks, the layer-th of them.</summary>
internal delegate Layer BlockMaker(int layer);
