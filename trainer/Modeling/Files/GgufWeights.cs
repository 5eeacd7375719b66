using System.Text.RegularExpressions;
using Graft.Modeling.Kernels;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>
/// A GGUF file's weights under Hugging Face names and in its layout. Files of the llama architecture store the rows of query and
/// key projections with the two halves of each head interleaved (llama.cpp's <c>convert_hf_to_gguf.py</c>, <c>permute</c>).
/// </summary>
internal sealed partial class GgufWeights : IWeights
{
    private static readonly Dictionary<string, string> HuggingFaceNames = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "model.embed_tokens", ["output_norm"] = "model.norm", ["output"] = "lm_head",
        ["attn_norm"] = "input_layernorm", ["ffn_norm"] = "post_attention_layernorm",
        ["attn_q"] = "self_attn.q_proj", ["attn_k"] = "self_attn.k_proj", ["attn_v"] = "self_attn.v_proj", ["attn_output"] = "self_attn.o_proj",
        ["ffn_gate"] = "mlp.gate_proj", ["ffn_up"] = "mlp.up_proj", ["ffn_down"] = "mlp.down_proj",
    };

    private readonly GgufFile file;
    private readonly ModelConfig config;
    private readonly Dictionary<string, GgufTensor> tensors;

    /// <param name="file">Closed with these weights.</param>
    public GgufWeights(GgufFile file, ModelConfig config)
    {
        (this.file, this.config) = (file, config);
        if (file.Tensors.ContainsKey("rope_freqs.weight"))
            throw new ModelFormatException(file.Path, "it scales its rotary frequencies (tensor 'rope_freqs.weight'), which is not supported");
        tensors = file.Tensors.Values.ToDictionary(t => HuggingFaceName(t.Name), StringComparer.Ordinal);
    }

    public bool BacksTensors { get; private set; }
    public IReadOnlyCollection<string> Names => tensors.Keys;
    public IReadOnlyList<string> Files => [file.Path];
    public IReadOnlyList<long>? ShapeOf(string name) => tensors.GetValueOrDefault(name)?.Shape;

    /// <summary>Over the mapped file where it has the rows in their places and the element type that is asked for.</summary>
    public unsafe Tensor Read(string name, IReadOnlyList<long> shape, ScalarType dtype)
    {
        var tensor = tensors[name];
        var rows = SourceRow(name, tensor);
        if (rows is null && TypeOf(tensor) == dtype)
        {
            BacksTensors = true;
            return Aten.FromMemory((nint)file.Address(tensor), [.. shape], dtype);
        }
        using var matrix = new GgufMatrix(file, tensor, rows);
        using var wide = matrix.Widen(0, matrix.Rows, dtype);
        return wide.view([.. shape]);
    }

    public PackedMatrix? Pack(string name)
    {
        var tensor = tensors[name];
        if (!tensor.Type.IsQuantized) return null;
        BacksTensors = true;
        return new GgufMatrix(file, tensor, SourceRow(name, tensor));
    }

    public void Dispose() => file.Dispose();

    /// <summary>Row 2j + p of a head in the file is row p * half + j of it here.</summary>
    private Func<long, long>? SourceRow(string name, GgufTensor tensor)
    {
        var heads = name.EndsWith("self_attn.q_proj.weight", StringComparison.Ordinal) ? config.Heads
            : name.EndsWith("self_attn.k_proj.weight", StringComparison.Ordinal) ? config.KvHeads : 0;
        if (heads == 0) return null;
        var (size, half) = (tensor.Rows / heads, tensor.Rows / heads / 2);
        return row => row / size * size + row % size % half * 2 + row % size / half;
    }

    private static ScalarType? TypeOf(GgufTensor tensor) => tensor.Type.Name switch
    {
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        _ => null,
    };

    private static string HuggingFaceName(string name)
    {
        if (BlockTensor().Match(name) is { Success: true } block && HuggingFaceNames.TryGetValue(block.Groups[2].Value, out var inBlock))
            return $"model.layers.{block.Groups[1].Value}.{inBlock}.{block.Groups[3].Value}";
        var dot = name.LastIndexOf('.');
        return dot > 0 && HuggingFaceNames.TryGetValue(name[..dot], out var outside) ? outside + name[dot..] : name;
    }

    [GeneratedRegex(@"^blk\.([0-9]+)\.([a-z_]+)\.(weight|bias)$")]
    private static partial Regex BlockTensor();
}
