namespace Graft.Contract;

/// <summary>
/// Vectors that train scale keys, values and the middle of the feed-forward layers (IA3, Liu et al. 2022, arXiv:2205.05638).
/// </summary>
/// <param name="Targets">Null: what PEFT takes for the model's architecture.</param>
public sealed record Ia3Method(Ia3Targets? Targets = null);

/// <param name="Modules">Linear layers that are scaled, by the last part of their names (<c>k_proj</c>) or any longer suffix.</param>
/// <param name="FeedForward">Those of <paramref name="Modules"/> whose input is scaled (<c>down_proj</c>), not the output.</param>
public sealed record Ia3Targets(IReadOnlyList<string> Modules, IReadOnlyList<string> FeedForward);
