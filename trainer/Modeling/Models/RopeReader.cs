using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// Reads rotary positions and their scaling, as transformers' <c>modeling_rope_utils</c> defines the types. Before transformers 5 they are
/// <c>rope_theta</c>, <c>rope_scaling</c> and <c>partial_rotary_factor</c>; since then all is in <c>rope_parameters</c>.
/// </summary>
internal sealed class RopeReader
{
    private static readonly Dictionary<string, Func<RopeReader, Rope>> Types = new(StringComparer.Ordinal)
    {
        ["default"] = r => new Rope(r.size, _ => Rope.Plain(r.theta, r.size)),
        ["linear"] = r => r.Linear(),
        ["dynamic"] = r => r.Dynamic(),
        ["llama3"] = r => r.Llama3(),
        ["yarn"] = r => r.Yarn(),
        ["longrope"] = r => r.LongRope(),
    };

    private readonly JsonFields? scaling;
    private readonly JsonFields fields;
    private readonly int size, positions;
    private readonly double theta;
    private readonly int? defaultOriginal;

    private RopeReader(JsonFields fields, JsonFields? scaling, ModelConfig config, double theta, int? original)
    {
        (this.fields, this.scaling, positions, defaultOriginal) = (fields, scaling, config.MaxPositions, original);
        this.theta = theta;
        var part = scaling?.Number("partial_rotary_factor") ?? fields.Number("partial_rotary_factor") ?? 1;
        if (part is not (> 0 and <= 1)) fields.Wrong($"partial_rotary_factor is {part}; it must be above 0 and at most 1");
        size = part is > 0 and <= 1 ? (int)(config.HeadSize * part) : config.HeadSize;
        if (size < 2 || size % 2 != 0) fields.Wrong($"{size} elements of each head would be rotated, which must be an even number");
        if (!double.IsFinite(theta) || theta <= 0) fields.Wrong($"rope_theta, the rotary base, is {theta}");
        if (fields.Flag("rope_interleaved") == true) fields.Wrong("rope_interleaved is true, which is not supported");
    }

    /// <summary>The object that says how positions are scaled, in either spelling.</summary>
    public static JsonFields? Scaling(JsonFields fields) => fields.Object("rope_parameters") ?? fields.Object("rope_scaling");

    /// <summary>The rotary positions of a model that has one kind of them.</summary>
    /// <param name="alias">Another name that the architecture has for a type.</param>
    /// <param name="original">Where the architecture has a default of its own for <c>original_max_position_embeddings</c>.</param>
    public static Rope Read(JsonFields fields, ModelConfig config, Func<string, string>? alias = null, int? original = null)
    {
        var scaling = Scaling(fields);
        return Make(fields, scaling, config, scaling?.Number("rope_theta") ?? fields.Number("rope_theta") ?? 10_000, alias, original);
    }

    /// <param name="scaling">The object that says how this kind of layer is scaled.</param>
    public static Rope Make(
        JsonFields fields, JsonFields? scaling, ModelConfig config, double theta, Func<string, string>? alias = null, int? original = null)
    {
        // What the newer spelling says in the object stands beside it in the older one; files may have both.
        fields.Know("rope_parameters", "rope_scaling", "rope_theta", "partial_rotary_factor");
        scaling?.Know("rope_theta", "partial_rotary_factor");
        var type = scaling?.Text("rope_type") ?? scaling?.Text("type") ?? "default";
        type = alias?.Invoke(type) ?? type;
        var reader = new RopeReader(fields, scaling, config, theta, original);
        if (Types.TryGetValue(type, out var make)) return make(reader);
        fields.Wrong($"rope scaling '{type}' is not supported; there are {string.Join(", ", Types.Keys)}");
        return Types["default"](reader);
    }

    private Rope Linear()
    {
        var factor = Factor();
        return new Rope(size, _ => Rope.Plain(theta, size).div(factor));
    }

    /// <summary>
    /// The base grows with the text once it is longer than what the model was trained with, so that the slowest pair spans it.
    /// </summary>
    private Rope Dynamic()
    {
        var factor = Factor();
        if (size < 4) fields.Wrong($"dynamic rope scaling cannot rotate {size} elements of a head");
        Tensor Frequencies(int length) =>
            Rope.Plain(theta * Math.Pow(factor * length / positions - (factor - 1), size / (size - 2.0)), size);
        return new Rope(size, Frequencies, regime: length => Math.Max(length, positions)) { Stretch = factor };
    }

    /// <summary>Fast pairs stay, slow ones are divided by the factor, those between are blended.</summary>
    private Rope Llama3()
    {
        double factor = Factor(), low = Needed("low_freq_factor"), high = Needed("high_freq_factor"), original = OriginalPositions();
        if (high <= low) fields.Wrong($"high_freq_factor is {high}, which is not above low_freq_factor {low}");
        return new Rope(size, _ =>
        {
            var plain = Rope.Plain(theta, size);
            var wavelength = plain.reciprocal().mul(2 * Math.PI);
            // Of the unscaled frequency, in the middle band.
            var share = wavelength.reciprocal().mul(original).sub(low).div(high - low);
            var blended = plain.div(factor).mul(share.neg().add(1)).add(plain.mul(share));
            var scaled = where(wavelength.gt(original / low), plain.div(factor), plain);
            return where(wavelength.lt(original / high).logical_or(wavelength.gt(original / low)), scaled, blended);
        });
    }

    /// <summary>YaRN (Peng et al. 2023, arXiv:2309.00071).</summary>
    private Rope Yarn()
    {
        var original = OriginalPositions();
        var factor = scaling!.Has("factor") ? Factor() : (double)positions / original;
        double fast = NumberOr("beta_fast", 32), slow = NumberOr("beta_slow", 1);
        if (fast <= 0 || slow <= 0) fields.Wrong($"beta_fast is {fast} and beta_slow {slow}; both must be above 0");
        double Pair(double rotations) => size * Math.Log(original / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
        var (from, to) = (Pair(fast), Pair(slow));
        if (scaling.Flag("truncate") ?? true) (from, to) = (Math.Floor(from), Math.Ceiling(to));
        (from, to) = (Math.Max(from, 0), Math.Min(to, size - 1));
        if (from == to) to += 0.001;
        return new Rope(size, _ =>
        {
            var plain = Rope.Plain(theta, size);
            // Share of the scaled frequency.
            var interpolated = arange(0, size / 2, ScalarType.Float32).sub(from).div(to - from).clamp(0, 1);
            return plain.div(factor).mul(interpolated).add(plain.mul(interpolated.neg().add(1)));
        }, YarnAmplitude(factor));
    }

    private double YarnAmplitude(double factor)
    {
        double Scaled(double by) => factor <= 1 ? 1 : 0.1 * by * Math.Log(factor) + 1;
        if (scaling!.Number("attention_factor") is { } given) return given;
        return scaling.Number("mscale") is { } scale and not 0 && scaling.Number("mscale_all_dim") is { } all and not 0
            ? Scaled(scale) / Scaled(all) : Scaled(1);
    }

    /// <summary>
    /// LongRoPE (Ding et al. 2024, arXiv:2402.13753): a factor for each pair, others for texts longer than the first training's.
    /// </summary>
    private Rope LongRope()
    {
        var original = OriginalPositions();
        var (shorter, longer) = (Factors("short_factor"), Factors("long_factor"));
        var factor = scaling!.Has("factor") ? Factor() : (double)positions / original;
        var amplitude = scaling.Number("attention_factor") ?? (factor <= 1 ? 1 : Math.Sqrt(1 + Math.Log(factor) / Math.Log(original)));
        Tensor Frequencies(int regime) =>
            pow(tensor((float)theta), Rope.Exponents(size)).mul(tensor(regime == 1 ? longer : shorter)).reciprocal();
        return new Rope(size, Frequencies, amplitude, length => length > original ? 1 : 0);
    }

    private double Factor() => Needed("factor");

    private double Needed(string name)
    {
        if (scaling!.Number(name) is { } value && double.IsFinite(value) && value > 0) return value;
        fields.Wrong($"rope scaling needs {name}, a number above 0");
        return 1;
    }

    private double NumberOr(string name, double otherwise) => scaling!.Number(name) is { } value and not 0 ? value : otherwise;

    /// <summary>A field beside the object wins over one in it, as in the reference.</summary>
    private int OriginalPositions()
    {
        const string name = "original_max_position_embeddings";
        var original = fields.Integer(name) ?? defaultOriginal ?? scaling!.Integer(name) ?? positions;
        if (original >= 2) return original;
        fields.Wrong($"{name} is {original}; it must be at least 2");
        return 2;
    }

    private float[] Factors(string name)
    {
        if (scaling!.Find(name) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == size / 2
            && list.EnumerateArray().All(IsFactor))
            return [.. list.EnumerateArray().Select(v => v.GetSingle())];
        bool IsFactor(JsonElement v) => v.ValueKind == JsonValueKind.Number && v.TryGetSingle(out var f) && float.IsFinite(f) && f > 0;
        fields.Wrong($"rope scaling needs {name}, a list of {size / 2} numbers above 0: one for each pair of rotated elements");
        return [.. Enumerable.Repeat(1f, Math.Max(1, size / 2))];
    }
}
