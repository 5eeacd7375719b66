using System.Text.Json.Nodes;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// How a GGUF file scales rotary positions, as Hugging Face's <c>rope_parameters</c> say the same (ggml's <c>docs/gguf.md</c>).
/// </summary>
internal static class GgufRope
{
    /// <param name="turned">Elements of each head that are turned.</param>
    /// <param name="positions">The configured longest sequence.</param>
    /// <exception cref="ModelFormatException">A value is missing or has no meaning here.</exception>
    public static JsonObject Parameters(GgufFile file, GgufArchitecture own, double theta, int turned, int positions)
    {
        var type = own.Name;
        var kind = file.Text($"{type}.rope.scaling.type") ?? (file.Fraction($"{type}.rope.scale_linear") is null ? "none" : "linear");
        GgufTensor? Table(string name) =>
            own.Tensors.OfConfiguration.Contains(name) ? file.Tensors.GetValueOrDefault(name) : null;
        var (all, shorter, longer) = (Table(GgufArchitectures.RopeFactors), Table(GgufArchitectures.ShortFactors),
            Table(GgufArchitectures.LongFactors));
        if ((shorter is null) != (longer is null))
            throw new ModelFormatException(file.Path, $"holds the tensor '{(shorter ?? longer)!.Name}' without its counterpart");
        if ((all ?? longer) is { } table && kind != "none" && (kind != "longrope" || all is not null))
            throw new ModelFormatException(file.Path, $"it scales rotary positions both by '{kind}' and by the tensor '{table.Name}'");
        var parameters = kind switch
        {
            _ when all is not null => Tables(file, all, all, turned, positions, 1),
            _ when longer is not null => Tables(file, shorter!, longer, turned,
                file.Number($"{type}.rope.scaling.original_context_length") ?? positions,
                Positive(file, $"{type}.rope.scaling.attn_factor") ?? 1),
            "none" => new JsonObject { ["rope_type"] = "default" },
            "linear" => new JsonObject { ["rope_type"] = "linear", ["factor"] = Factor(file, type) },
            "yarn" => Yarn(file, type),
            _ => throw new ModelFormatException(file.Path, $"'{type}.rope.scaling.type' is '{kind}'; supported: none, linear, yarn"),
        };
        parameters["rope_theta"] = theta;
        return parameters;
    }

    private static JsonObject Yarn(GgufFile file, string type)
    {
        var factor = Factor(file, type);
        var parameters = new JsonObject { ["rope_type"] = "yarn", ["factor"] = factor };
        if (file.Number($"{type}.rope.scaling.original_context_length") is { } original)
            parameters["original_max_position_embeddings"] = original;
        if (Positive(file, $"{type}.rope.scaling.yarn_beta_fast") is { } fast) parameters["beta_fast"] = fast;
        if (Positive(file, $"{type}.rope.scaling.yarn_beta_slow") is { } slow) parameters["beta_slow"] = slow;
        if (file.Fraction($"{type}.rope.scaling.yarn_ext_factor") is { } extrapolation and not 1)
            throw new ModelFormatException(file.Path, $"'{type}.rope.scaling.yarn_ext_factor' is {extrapolation}; only 1 is supported");
        // llama.cpp multiplies its factor by the one of YaRN, Hugging Face replaces it.
        var amplitude = Positive(file, $"{type}.rope.scaling.yarn_attn_factor")
            ?? Positive(file, $"{type}.rope.scaling.attn_factor") ?? 1;
        if (amplitude != 1) parameters["attention_factor"] = amplitude * (factor <= 1 ? 1 : 0.1 * Math.Log(factor) + 1);
        return parameters;
    }

    /// <summary>
    /// Tables of what each frequency is divided by. Files of Phi 3 have one for short and one for long texts, which is LongRoPE; files of
    /// Llama 3 one alone, which is the same for both.
    /// </summary>
    private static JsonObject Tables(
        GgufFile file, GgufTensor shorter, GgufTensor longer, int turned, int original, double amplitude) => new()
    {
        ["rope_type"] = "longrope", ["short_factor"] = Values(file, shorter, turned), ["long_factor"] = Values(file, longer, turned),
        ["factor"] = 1.0, ["attention_factor"] = amplitude, ["original_max_position_embeddings"] = original,
    };

    private static JsonArray Values(GgufFile file, GgufTensor tensor, int turned)
    {
        if (tensor.Shape is not [var count] || count != turned / 2 || tensor.Type.Name != "F32")
            throw new ModelFormatException(file.Path,
                $"the tensor '{tensor.Name}' must be [{turned / 2}] of F32: one number for each pair of a head's elements");
        using var matrix = new GgufMatrix(file, tensor);
        using var wide = matrix.Widen(0, 1, ScalarType.Float32);
        var values = wide.data<float>().ToArray();
        if (!values.All(v => float.IsFinite(v) && v > 0)) throw new ModelFormatException(file.Path,
            $"the tensor '{tensor.Name}' holds something that is no number above 0");
        return [.. values.Select(v => (JsonNode)v)];
    }

    private static double Factor(GgufFile file, string type) =>
        Positive(file, $"{type}.rope.scaling.factor") ?? Positive(file, $"{type}.rope.scale_linear")
            ?? throw new ModelFormatException(file.Path, $"lacks the metadata value '{type}.rope.scaling.factor'");

    private static double? Positive(GgufFile file, string key) =>
        file.Fraction(key) is not { } value ? null : double.IsFinite(value) && value > 0 ? value
            : throw new ModelFormatException(file.Path, $"'{key}' is {value}; it must be above 0");
}
