namespace Graft.Modeling.Models;

/// <summary>Where a half of a block meets the residual stream.</summary>
/// <param name="Index">Among those of the model.</param>
/// <param name="Name">The module that AdapterHub hangs adapters on there: <c>model.layers.0.attention_adapters</c>.</param>
/// <param name="Half">Which half it is.</param>
/// <param name="Size">C.</param>
internal sealed record ResidualSite(int Index, string Name, BlockHalf Half, int Size);

internal enum BlockHalf { Attention, FeedForward }

/// <summary>The two of a block.</summary>
internal sealed record BlockSites(ResidualSite Attention, ResidualSite FeedForward);
