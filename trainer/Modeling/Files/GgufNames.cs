using System.Text.RegularExpressions;

namespace Graft.Modeling.Files;

/// <summary>
/// The tensors of an architecture: llama.cpp's names (its <c>gguf-py/gguf/constants.py</c>) and Hugging Face's, and in what they differ
/// otherwise.
/// </summary>
internal sealed partial record GgufNames
{
    private readonly string layers;
    private readonly Dictionary<string, string> outside, inBlock, outsideBack, inBlockBack;

    /// <param name="layers">What Hugging Face's names of a block begin with, before its number.</param>
    /// <param name="outside">Modules outside of the blocks, Hugging Face's names by llama.cpp's.</param>
    /// <param name="inBlock">Modules of a block.</param>
    public GgufNames(string layers, Dictionary<string, string> outside, Dictionary<string, string> inBlock)
    {
        (this.layers, this.outside, this.inBlock) = (layers, outside, inBlock);
        outsideBack = outside.ToDictionary(n => n.Value, n => n.Key, StringComparer.Ordinal);
        inBlockBack = inBlock.ToDictionary(n => n.Value, n => n.Key, StringComparer.Ordinal);
    }

    /// <summary>Tensors that say how rotary positions are scaled; part of the configuration rather than weights.</summary>
    public IReadOnlySet<string> OfConfiguration { get; init; } = new HashSet<string>();

    /// <summary>
    /// The rows of query and key projections are stored with the two halves of each head interleaved (<c>permute</c> of llama.cpp's
    /// conversion of llama models; the others are stored as they are).
    /// </summary>
    public bool Interleaves { get; init; }

    /// <summary>Weights of norms are stored as 1 + w where Hugging Face has w (llama.cpp's <c>conversion/gemma.py</c>).</summary>
    public bool AddsOneToNorms { get; init; }

    /// <summary>
    /// Modules, by the ends of Hugging Face's names, whose weights that one stores as (in, out), and llama.cpp as (out, in).
    /// </summary>
    public IReadOnlyList<string> Turned { get; init; } = [];

    /// <summary>Modules, by llama.cpp's names, that have a bias.</summary>
    public IReadOnlySet<string> Biased { get; init; } = new HashSet<string>();

    /// <summary><c>blk.3.attn_q.weight</c> to <c>model.layers.3.self_attn.q_proj.weight</c>; a name that is unknown stays.</summary>
    public string ToHuggingFace(string name)
    {
        if (Stored().Match(name) is not { Success: true } match) return name;
        var (block, module, part) = (match.Groups[1], match.Groups[2].Value, match.Groups[3].Value);
        if (part == "bias" && !Biased.Contains(module)) return name;
        return !(block.Success ? inBlock : outside).TryGetValue(module, out var own) ? name
            : block.Success ? $"{layers}{block.Value}.{own}.{part}" : $"{own}.{part}";
    }

    /// <summary>The way back, or null for a weight that llama.cpp has no name for.</summary>
    public string? FromHuggingFace(string name)
    {
        if (Module().Match(name) is not { Success: true } match) return null;
        var (module, part) = (match.Groups[1].Value, match.Groups[2].Value);
        var block = "";
        if (!outsideBack.TryGetValue(module, out var own))
        {
            if (!module.StartsWith(layers, StringComparison.Ordinal)) return null;
            var number = module[layers.Length..].Split('.', 2);
            if (number.Length < 2 || !number[0].All(char.IsAsciiDigit) || !inBlockBack.TryGetValue(number[1], out own)) return null;
            block = $"blk.{number[0]}.";
        }
        return part == "bias" && !Biased.Contains(own) ? null : $"{block}{own}.{part}";
    }

    /// <summary>Whether Hugging Face has that weight the other way round.</summary>
    public bool IsTurned(string name) => Turned.Any(t => name.EndsWith(t + ".weight", StringComparison.Ordinal));

    /// <summary>What is added to a weight of Hugging Face's where it is stored.</summary>
    public float Shift(string name) => AddsOneToNorms && name.EndsWith("norm.weight", StringComparison.Ordinal) ? 1 : 0;

    /// <summary>Where a row of Hugging Face's lies in a file; null: in its place.</summary>
    /// <param name="module">Hugging Face's name of the weight or its module.</param>
    public Func<long, long>? StoredRow(string module, long rows, ModelConfig config)
    {
        if (Heads(module, config) is not { } heads) return null;
        var (size, half) = (rows / heads, rows / heads / 2);
        return row => row / size * size + row % size % half * 2 + row % size / half;
    }

    /// <summary>Which of Hugging Face's rows lies at a place in a file; null: that of the same number.</summary>
    public Func<long, long>? RowAt(string module, long rows, ModelConfig config)
    {
        if (Heads(module, config) is not { } heads) return null;
        var (size, half) = (rows / heads, rows / heads / 2);
        return place => place / size * size + place % 2 * half + place % size / 2;
    }

    private int? Heads(string module, ModelConfig config) =>
        !Interleaves ? null
        : module.EndsWith("self_attn.q_proj.weight", StringComparison.Ordinal)
            || module.EndsWith("self_attn.q_proj", StringComparison.Ordinal) ? config.Heads
        : module.EndsWith("self_attn.k_proj.weight", StringComparison.Ordinal)
            || module.EndsWith("self_attn.k_proj", StringComparison.Ordinal) ? config.KvHeads
        : null;

    [GeneratedRegex(@"^(?:blk\.([0-9]+)\.)?([a-z_]+)\.(weight|bias)$")]
    private static partial Regex Stored();

    [GeneratedRegex(@"^(.+)\.(weight|bias)$")]
    private static partial Regex Module();
}
