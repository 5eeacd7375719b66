using System.Text.Json.Nodes;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// How a GGUF file scales rotary positions, as Hugging Face's <c>rope_parameters</c> say the same (ggml's <c>docs/gguf.md</c>).
/// </summary>
internal static class GgufRope
{
    /// <param name="type">The architecture, by which keys begin.</param>
    /// <param name="positions">The configured longest sequence.</param>
    /// <exception cref="ModelFormatException">A value is missing or has no meaning here.</exception>
    public static JsonObject Parameters(GgufFile file, string type, double theta, int headSize, int positions)
    {
        var kind = file.Text($"{type}.rope.scaling.type") ?? (file.Fraction($"{type}.rope.scale_linear") is null ? "none" : "linear");
        var parameters = kind switch
        {
            "none" => new JsonObject { ["rope_type"] = "default" },
            "linear" => new JsonObject { ["rope_type"] = "linear", ["factor"] = Factor(file, type) },
            "yarn" => Yarn(file, type),
            _ => throw new ModelFormatException(file.Path, $"'{type}.rope.scaling.type' is '{kind}'; supported: none, linear, yarn"),
        };
        if (file.Tensors.TryGetValue(GgufNames.RopeFactors, out var factors)) parameters = Factors(file, factors, kind, headSize,
            positions);
        parameters["rope_theta"] = theta;
        return parameters;
    }

    private static JsonObject Yarn(GgufFile file, string type)
    {
        var factor = Factor(file, type);
        var parameters = new JsonObject { ["rope_type"] = "yarn", ["factor"] = factor };
        if (file.Number($"{type}.rope.scaling.original_context_length") is { } original)
            parameters["original_max_position_embeddings"] = original;
        if (file.Fraction($"{type}.rope.scaling.yarn_beta_fast") is { } fast) parameters["beta_fast"] = fast;
        if (file.Fraction($"{type}.rope.scaling.yarn_beta_slow") is { } slow) parameters["beta_slow"] = slow;
        if (file.Fraction($"{type}.rope.scaling.yarn_ext_factor") is { } extrapolation and not 1)
            throw new ModelFormatException(file.Path, $"'{type}.rope.scaling.yarn_ext_factor' is {extrapolation}; only 1 is supported");
        // llama.cpp multiplies its factor by the one of YaRN, Hugging Face replaces it.
        var amplitude = file.Fraction($"{type}.rope.scaling.yarn_attn_factor") ?? file.Fraction($"{type}.rope.scaling.attn_factor") ?? 1;
        if (amplitude != 1) parameters["attention_factor"] = amplitude * (factor <= 1 ? 1 : 0.1 * Math.Log(factor) + 1);
        return parameters;
    }

    /// <summary>
    /// A table of what each frequency is divided by, as files of Llama 3 have it. Hugging Face's name for such a table is LongRoPE; here
    /// it is the same
    /// for short and long texts.
    /// </summary>
    private static JsonObject Factors(GgufFile file, GgufTensor tensor, string kind, int headSize, int positions)
    {
        if (kind != "none") throw new ModelFormatException(file.Path,
            $"it scales rotary positions both by '{kind}' and by the tensor '{tensor.Name}'");
        if (tensor.Shape is not [var count] || count != headSize / 2 || tensor.Type.Name != "F32")
            throw new ModelFormatException(file.Path,
                $"the tensor '{tensor.Name}' must be [{headSize / 2}] of F32: one number for each pair of a head's elements");
        using var matrix = new GgufMatrix(file, tensor);
        using var wide = matrix.Widen(0, 1, ScalarType.Float32);
        var values = wide.data<float>().ToArray();
        if (!values.All(v => float.IsFinite(v) && v > 0)) throw new ModelFormatException(file.Path,
            $"the tensor '{tensor.Name}' holds something that is no number above 0");
        JsonArray List() => [.. values.Select(v => (JsonNode)v)];
        return new JsonObject
        {
            ["rope_type"] = "longrope", ["short_factor"] = List(), ["long_factor"] = List(), ["factor"] = 1.0, ["attention_factor"] = 1.0,
            ["original_max_position_embeddings"] = positions,
        };
    }

    private static double Factor(GgufFile file, string type)
    {
        var factor = file.Fraction($"{type}.rope.scaling.factor") ?? file.Fraction($"{type}.rope.scale_linear")
            ?? throw new ModelFormatException(file.Path, $"lacks the metadata value '{type}.rope.scaling.factor'");
        return double.IsFinite(factor) && factor > 0 ? factor
            : throw new ModelFormatException(file.Path, $"'{type}.rope.scaling.factor' is {factor}; it must be above 0");
    }
}
