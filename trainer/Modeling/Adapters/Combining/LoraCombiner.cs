using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Contract;
using Graft.Modeling.Adapters;
using Graft.Modeling.Files;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>
/// Makes one LoRA of several, as PEFT's <c>add_weighted_adapter</c> defines it. The result is an ordinary folder whose scale is 1. One
/// module is computed at a time, in float32.
/// </summary>
/// <remarks>
/// Two things differ from PEFT knowingly: a scale counts once in <see cref="LoraCombination.Svd"/>, where PEFT counts it twice, and
/// rsLoRA's scales are read as what they are and not written on.
/// </remarks>
public sealed class LoraCombiner : IDisposable
{
    private readonly List<StoredLora> adapters;
    private readonly CombinationOptions options;
    private readonly List<string> modules;
    private readonly int rank;
    private (string Module, Tensor A, Tensor B)? last;

    private LoraCombiner(List<StoredLora> adapters, CombinationOptions options)
    {
        (this.adapters, this.options) = (adapters, options);
        modules =
        [
            .. adapters.SelectMany(a => a.Pairs).Select(p => p.Module).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
        var largest = adapters.Select(a => a.Pairs.Max(p => p.Rank)).ToList();
        rank = options.Method switch
        {
            LoraCombination.Cat => largest.Sum(),
            LoraCombination.Svd => options.Rank ?? largest.Max(),
            _ => largest.Max(),
        };
    }

    /// <summary>Writes the combined adapter's weights and configuration into an existing folder.</summary>
    /// <param name="folders">As PEFT writes them.</param>
    /// <exception cref="TuningException">The options or adapters do not fit together; all problems at once.</exception>
    /// <exception cref="ModelFormatException">A folder cannot be read, or is no plain LoRA.</exception>
    public static void Write(IReadOnlyList<string> folders, CombinationOptions options, string folder)
    {
        Check(folders, options);
        var adapters = new List<StoredLora>();
        try
        {
            foreach (var path in folders) adapters.Add(StoredLora.Open(path, "be combined"));
            using var combiner = new LoraCombiner(adapters, options);
            combiner.CheckFit();
            combiner.Write(folder);
        }
        finally
        {
            adapters.ForEach(a => a.Dispose());
        }
    }

    public void Dispose() => Forget();

    private static void Check(IReadOnlyList<string> folders, CombinationOptions options)
    {
        var problems = new List<string>();
        if (options.Weights.Count != folders.Count)
            problems.Add($"there are {options.Weights.Count} weights for {folders.Count} adapters; give each one.");
        if (options.Weights.Any(w => !double.IsFinite(w))) problems.Add("a weight is no finite number.");
        if (options.SumsFactors && options.Weights.Any(w => w <= 0))
            problems.Add("a weight is not above 0, and has no square root then; cat and svd take any.");
        if (options.Prunes && options.Density is not (> 0 and <= 1))
            problems.Add($"the density is {options.Density}; it must be above 0 and at most 1.");
        if (options.Rank is { } asked && (asked < 1 || options.Method != LoraCombination.Svd))
            problems.Add(asked < 1 ? $"the rank is {asked}; it must be at least 1."
                : "only svd takes a rank; the others' follows from the adapters.");
        if (problems.Count > 0) throw new TuningException(problems);
    }

    private void CheckFit()
    {
        var problems = new List<string>();
        foreach (var module in modules)
        {
            var pairs = PairsOf(module).Select(p => p.Pair).ToList();
            string Each(Func<StoredPair, long> what) => string.Join(" and ", pairs.Select(what).Distinct());
            if (pairs.Select(p => (p.IsEmbedding, p.A.Shape[1], p.B.Shape[0])).Distinct().Count() > 1)
                problems.Add(
                    $"'{module}' is {Each(p => p.B.Shape[0])} x {Each(p => p.A.Shape[1])}: these are adapters of different bases.");
            else if (options.SumsFactors && pairs.Select(p => p.Rank).Distinct().Count() > 1)
                problems.Add($"'{module}' has the ranks {Each(p => p.Rank)}; this method needs the same, cat and svd take any.");
        }
        if (options.Rank is { } asked && adapters.Sum(a => (long)a.Pairs.Max(p => p.Rank)) is var most && asked > most)
            problems.Add($"the rank is {asked}; the weighted sum of these adapters has at most {most}.");
        if (adapters.Select(a => a.Folder.Config.Text("task_type")).Distinct().Count() > 1)
            problems.Add("they are adapters of different tasks (task_type).");
        if (adapters.Select(a => a.Folder.Config.Flag("fan_in_fan_out") ?? false).Distinct().Count() > 1)
            problems.Add("they differ in fan_in_fan_out, so they are adapters of different bases.");
        if (problems.Count > 8) problems = [.. problems.Take(8), $"And {problems.Count - 8} more."];
        if (problems.Count > 0) throw new TuningException(problems);
    }

    private void Write(string folder)
    {
        var outputs = modules.SelectMany(module =>
        {
            var pair = PairsOf(module).First().Pair;
            var (a, b) = StoredLora.KeysOf(module, pair.IsEmbedding);
            return (SafetensorsOutput[])
            [
                new(a, ScalarType.Float32, [rank, pair.A.Shape[1]], () => Of(module).A.alias()),
                new(b, ScalarType.Float32, [pair.B.Shape[0], rank], () => Of(module).B.alias()),
            ];
        });
        SafetensorsWriter.Write(Path.Combine(folder, ArtifactLayout.AdapterWeights), outputs);
        PeftConfig.Write(Path.Combine(folder, ArtifactLayout.AdapterConfig), Configuration());
    }

    /// <summary>The first adapter's, but for what tells where the matrices are and how much they count.</summary>
    private JsonObject Configuration()
    {
        var config = JsonNode.Parse(File.ReadAllBytes(adapters[0].Folder.ConfigPath))!.AsObject();
        (config["r"], config["lora_alpha"], config["use_rslora"]) = (rank, rank, false);
        (config["rank_pattern"], config["alpha_pattern"]) = (new JsonObject(), new JsonObject());
        (config["init_lora_weights"], config["inference_mode"]) = (true, true);
        config["target_modules"] = new JsonArray(
            [.. Targets().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(t => (JsonNode)t)]);
        foreach (var name in (string[])["layers_to_transform", "layers_pattern", "exclude_modules"]) config[name] = null;
        return config;
    }

    /// <summary>
    /// What all of them name; where one's names are a pattern or cut down by other fields, the whole names of the modules.
    /// </summary>
    private IEnumerable<string> Targets() =>
        adapters.All(a => a.Folder.Config.Find("target_modules") is { ValueKind: JsonValueKind.Array }
            && !a.Folder.Config.Has("layers_to_transform") && !a.Folder.Config.Has("exclude_modules"))
            ? adapters.SelectMany(a => a.Folder.Config.Texts("target_modules") ?? []) : modules;

    private IEnumerable<(StoredLora Adapter, StoredPair Pair, double Weight)> PairsOf(string module) =>
        adapters.SelectMany((a, i) => a.Pairs.Where(p => p.Module == module).Select(p => (a, p, options.Weights[i])));

    /// <summary>(rank, in) and (out, rank) of a module. Both come from one computation, and are asked for one after the other.</summary>
    private (Tensor A, Tensor B) Of(string module)
    {
        if (last is { } made && made.Module == module) return (made.A, made.B);
        Forget();
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var parts = PairsOf(module)
            .Select(p => (A: p.Adapter.Read(p.Pair.A), B: p.Adapter.Read(p.Pair.B), Counts: p.Weight * p.Pair.Scale)).ToList();
        Tensor a, b;
        if (options.SumsFactors)
        {
            var roots = parts.Select(p => Math.Sqrt(p.Counts)).ToList();
            // A module's chance does not depend on which others there are before it.
            using var rng = new Generator(unchecked((ulong)options.Seed), CPU);
            a = FactorSums.Of(options, [.. parts.Select(p => p.A)], roots, rng);
            b = FactorSums.Of(options, [.. parts.Select(p => p.B)], roots, rng);
        }
        else
        {
            a = cat([.. parts.Select(p => p.A.mul((float)p.Counts))]);                  // (sum of ranks, in)
            b = cat([.. parts.Select(p => p.B)], 1);                                    // (out, sum of ranks)
            if (options.Method == LoraCombination.Svd) (a, b) = Truncated(a, b);
        }
        (a, b) = (Padded(a, [rank, a.size(1)]), Padded(b, [b.size(0), rank]));
        last = (module, a.DetachFromDisposeScope(), b.DetachFromDisposeScope());
        return (a, b);
    }

    /// <summary>
    /// The best approximation of B A of the wanted rank, through the small matrix that is left between the orthogonal factors of B and
    /// A': the product itself is never made.
    /// </summary>
    private (Tensor A, Tensor B) Truncated(Tensor a, Tensor b)
    {
        var (left, inner) = linalg.qr(b);                                               // (out, k), (k, R)
        var (right, outer) = linalg.qr(a.t());                                          // (in, m), (m, R)
        var (u, s, vh) = linalg.svd(inner.matmul(outer.t()), fullMatrices: false);      // (k, q), (q), (q, m)
        var kept = Math.Min(rank, s.size(0));
        return (vh.narrow(0, 0, kept).matmul(right.t()), left.matmul(u.narrow(1, 0, kept).mul(s.narrow(0, 0, kept))));
    }

    private static Tensor Padded(Tensor tensor, long[] shape)
    {
        if (tensor.shape.SequenceEqual(shape)) return tensor.contiguous();
        var wide = zeros(shape, ScalarType.Float32);
        wide.narrow(0, 0, tensor.size(0)).narrow(1, 0, tensor.size(1)).copy_(tensor);
        return wide;
    }

    private void Forget()
    {
        last?.A.Dispose();
        last?.B.Dispose();
        last = null;
    }
}
