namespace Graft.Contract;

/// <summary>
/// Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): a weight W (out, in) counts as W + scale B A, with A (r, in) and B (out, r).
/// </summary>
/// <param name="Rank">r, of every target that <see cref="RankPattern"/> does not name.</param>
/// <param name="Alpha">Scale: the update counts alpha / r times.</param>
/// <param name="Dropout">Probability of leaving out an input element of the update while training.</param>
/// <param name="RsLora">Scale by alpha / sqrt(r) instead (Kalajdzievski 2023, arXiv:2312.03732).</param>
/// <param name="Dora">
/// The updated weight gives only directions; a vector that trains gives its lengths (DoRA, Liu et al. 2024, arXiv:2402.09353).
/// </param>
/// <param name="LoraPlusRatio">B learns so many times faster than A (LoRA+, Hayou et al. 2024, arXiv:2402.12354).</param>
/// <param name="Layers">Blocks, counted from 0, in which targets are tuned (PEFT's <c>layers_to_transform</c>). Null: all of them.</param>
public sealed record LoraMethod(
    LoraTargets Targets,
    int Rank = 8,
    double Alpha = 16,
    double Dropout = 0,
    bool RsLora = false,
    bool Dora = false,
    LoraInitialization Initialization = LoraInitialization.Default,
    double LoraPlusRatio = 1,
    LoraBias Bias = LoraBias.None,
    IReadOnlyList<int>? Layers = null)
{
    // What reads JSON hands null to what the document leaves out, past the initializer.

    /// <summary>
    /// Ranks that differ: a regular expression over a module's path, or over what follows a dot in it, and the rank. They are kept in the
    /// order that they are written in; the first that fits counts, as in PEFT.
    /// </summary>
    public IReadOnlyDictionary<string, int> RankPattern { get; init => field = value ?? field; } = new Dictionary<string, int>();

    /// <summary>Alphas that differ; expressions as in <see cref="RankPattern"/>.</summary>
    public IReadOnlyDictionary<string, double> AlphaPattern { get; init => field = value ?? field; } = new Dictionary<string, double>();

    /// <summary>
    /// Modules that train whole beside the updates and are saved with them, by the last part of their names (<c>embed_tokens</c>).
    /// </summary>
    public IReadOnlyList<string> ModulesToSave { get; init => field = value ?? field; } = [];
}

/// <summary>A union: exactly one member is set.</summary>
public sealed record LoraTargets
{
    public AllLinear? AllLinear { get; init; }

    /// <summary>
    /// Module names as in the base model's keys, by their last part (<c>q_proj</c>) or any longer suffix. The embedding
    /// (<c>embed_tokens</c>) and the output head (<c>lm_head</c>) may be among them.
    /// </summary>
    public IReadOnlyList<string>? Modules { get; init; }
}

/// <summary>Every linear layer of the blocks; not the embedding and not the output head.</summary>
public sealed record AllLinear;

/// <summary>
/// What A and B of a weight are before the first step. Whichever it is, the model answers at first as its base does.
/// </summary>
public enum LoraInitialization
{
    /// <summary>A Kaiming uniform as the authors' code has it, B zero.</summary>
    Default,

    /// <summary>A normal with deviation 1 / r, B zero.</summary>
    Gaussian,

    /// <summary>The weight's r largest singular directions, which the frozen weight gives up (Meng et al. 2024, arXiv:2404.02948).</summary>
    Pissa,

    /// <summary>
    /// The first r columns of the weight's QR decomposition, which the frozen weight gives up (Buyukakyuz 2024, arXiv:2406.01775).
    /// </summary>
    Olora,
}

/// <summary>Which biases train: none, all of the model, or those of the targets (PEFT's <c>bias</c>).</summary>
public enum LoraBias { None, All, LoraOnly }
