namespace Graft.Modeling;

/// <summary>How several LoRAs become one; w is an adapter's weight, s its scale (alpha / r).</summary>
public enum LoraCombination
{
    /// <summary>A = sum of sqrt(w s) A, B = sum of sqrt(w s) B: of the adapters' rank, which must be the same. Products of one's A with
    /// another's B come along.</summary>
    Linear,

    /// <summary>All of them side by side: exactly the sum of w s B A. The ranks add up.</summary>
    Cat,

    /// <summary>The best approximation of the sum of w s B A at a rank that is asked for, by its singular values.</summary>
    Svd,

    /// <summary>
    /// As <see cref="Linear"/>, of the largest elements alone and where their signs agree (Yadav et al. 2023, arXiv:2306.01708).
    /// </summary>
    Ties,

    /// <summary>As <see cref="Linear"/>, of elements left to chance and counted the more (Yu et al. 2023, arXiv:2311.03099).</summary>
    DareLinear,

    /// <summary><see cref="DareLinear"/>'s elements, where their signs agree as in <see cref="Ties"/>.</summary>
    DareTies,
}

/// <param name="Weights">Of the adapters, in their order.</param>
/// <param name="Density">
/// Share of elements that is kept, above 0 and at most 1; of <see cref="LoraCombination.Ties"/> and the two DAREs.
/// </param>
/// <param name="Seed">Which elements chance keeps.</param>
/// <param name="Rank">Of <see cref="LoraCombination.Svd"/>; null: the largest of the adapters'.</param>
public sealed record CombinationOptions(
    LoraCombination Method, IReadOnlyList<double> Weights, double Density = 0.5, long Seed = 0, int? Rank = null)
{
    /// <summary>Whether <see cref="Density"/> says anything.</summary>
    public bool Prunes => Method is LoraCombination.Ties or LoraCombination.DareLinear or LoraCombination.DareTies;

    /// <summary>Whether A and B are summed by themselves, each by the square root of what it counts.</summary>
    public bool SumsFactors => Prunes || Method == LoraCombination.Linear;
}
