using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Combining;

/// <summary>Against the formulas, written out in plain loops over numbers.</summary>
[Collection(TorchCollection.Name)]
public sealed class LoraCombinerTests : IDisposable
{
    private const string Q = "model.layers.0.self_attn.q_proj", V = "model.layers.0.self_attn.v_proj";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("graft-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Cat_is_exactly_the_weighted_sum_whatever_the_ranks_are()
    {
        var one = Make("one", 1, alpha: 8, (Q, 6, 5, 2), (V, 4, 5, 2));
        var other = Make("other", 2, alpha: 6, (Q, 6, 5, 3));

        var both = Combine(LoraCombination.Cat, [0.7, -0.3], one, other);

        var sum = Sum(LoraFiles.Product(LoraFiles.Read(one, Q), 0.7 * 4), LoraFiles.Product(LoraFiles.Read(other, Q), -0.3 * 2));
        Check(both, Q, sum);
        // A module of one adapter alone is filled up with zeros, as in PEFT.
        Check(both, V, LoraFiles.Product(LoraFiles.Read(one, V), 0.7 * 4));
        Assert.Equal(5, LoraFiles.Read(both, V).A.GetLength(0));
        var config = Config(both);
        Assert.Equal((5, 5), (config["r"]!.GetValue<int>(), config["lora_alpha"]!.GetValue<int>()));
        Assert.False(config["use_rslora"]!.GetValue<bool>());
        Assert.Equal([Q, V], config["target_modules"]!.AsArray().Select(t => t!.GetValue<string>()));
    }

    [Fact]
    public void Linear_sums_each_factor_by_the_root_of_weight_times_scale()
    {
        var one = Make("one", 1, alpha: 8, (Q, 6, 5, 2));
        var other = Make("other", 2, alpha: 2, (Q, 6, 5, 2));

        var both = LoraFiles.Read(Combine(LoraCombination.Linear, [0.5, 2], one, other), Q);

        var (first, second) = (LoraFiles.Read(one, Q), LoraFiles.Read(other, Q));
        Check(both.A, (i, j) => Math.Sqrt(0.5 * 4) * first.A[i, j] + Math.Sqrt(2 * 1) * second.A[i, j]);
        Check(both.B, (i, j) => Math.Sqrt(0.5 * 4) * first.B[i, j] + Math.Sqrt(2 * 1) * second.B[i, j]);
    }

    [Fact]
    public void Svd_is_the_weighted_sum_at_its_full_rank_and_the_nearest_matrix_below()
    {
        using var scope = NewDisposeScope();
        var one = Make("one", 1, alpha: 8, (Q, 7, 9, 2));
        var other = Make("other", 2, alpha: 6, (Q, 7, 9, 3));
        var sum = Sum(LoraFiles.Product(LoraFiles.Read(one, Q), 0.7 * 4), LoraFiles.Product(LoraFiles.Read(other, Q), -0.3 * 2));

        var full = Combine(LoraCombination.Svd, [0.7, -0.3], one, other, rank: 5);
        var cut = Combine(LoraCombination.Svd, [0.7, -0.3], one, other, rank: 2);
        var usual = Combine(LoraCombination.Svd, [0.7, -0.3], one, other);

        Assert.True(LoraFiles.Largest(sum, LoraFiles.Product(LoraFiles.Read(full, Q))) < 1e-4);
        Assert.Equal((2, 3), (LoraFiles.Read(cut, Q).A.GetLength(0), LoraFiles.Read(usual, Q).A.GetLength(0)));
        // What is left of it are the singular values that were cut (Eckart and Young).
        var values = linalg.svdvals(tensor(sum)).data<double>().ToArray();
        var left = Difference(sum, LoraFiles.Product(LoraFiles.Read(cut, Q)));
        Assert.Equal(values[2], linalg.svdvals(tensor(left)).data<double>().ToArray()[0], 1e-4);
        // As PEFT has them: the rows of A have the length one.
        var a = LoraFiles.Read(cut, Q).A;
        Assert.Equal(1, Enumerable.Range(0, 9).Sum(j => a[0, j] * a[0, j]), 1e-5);
    }

    [Fact]
    public void Ties_keeps_the_largest_elements_and_means_those_of_the_elected_sign()
    {
        var one = Make("one", 1, alpha: 4, (Q, 6, 5, 2));
        var other = Make("other", 2, alpha: 4, (Q, 6, 5, 2));
        var third = Make("third", 3, alpha: 4, (Q, 6, 5, 2));

        var all = LoraFiles.Read(Combine(LoraCombination.Ties, [1, 0.5, 2], [one, other, third], density: 0.55), Q);

        double[] roots = [Math.Sqrt(1 * 2), Math.Sqrt(0.5 * 2), Math.Sqrt(2 * 2)];
        var pairs = new[] { one, other, third }.Select(f => LoraFiles.Read(f, Q)).ToList();
        Ties(all.A, [.. pairs.Select(p => p.A)], roots, 0.55);
        Ties(all.B, [.. pairs.Select(p => p.B)], roots, 0.55);
    }

    [Fact]
    public void Dare_leaves_elements_to_the_seeds_chance_and_counts_the_rest_the_more()
    {
        var one = Make("one", 1, alpha: 2, (Q, 60, 50, 2));
        string Dare(long seed, LoraCombination method = LoraCombination.DareLinear, double density = 0.25) =>
            Combine(method, [1], [one], density: density, seed: seed);

        var (found, original) = (LoraFiles.Read(Dare(1), Q).A, LoraFiles.Read(one, Q).A);

        var kept = 0;
        for (var i = 0; i < 2; i++)
        {
            for (var j = 0; j < 50; j++)
            {
                if (found[i, j] == 0) continue;
                Assert.Equal(original[i, j] / 0.25, found[i, j], 1e-5);
                kept++;
            }
        }
        Assert.InRange(kept, 10, 45);
        Assert.Equal(found, LoraFiles.Read(Dare(1), Q).A);
        Assert.NotEqual(found, LoraFiles.Read(Dare(2), Q).A);
        // With one adapter every sign agrees, so that both are the same; and all that is kept is all.
        Assert.Equal(found, LoraFiles.Read(Dare(1, LoraCombination.DareTies), Q).A);
        Assert.Equal(original, LoraFiles.Read(Dare(1, density: 1), Q).A);
    }

    [Fact]
    public void Scales_are_read_by_rsloras_rule_and_by_patterns()
    {
        var one = LoraFiles.Write(Path.Combine(folder.FullName, "one"), 1, 8, [(Q, 6, 5, 4), (V, 4, 5, 4)], config =>
        {
            config["use_rslora"] = true;
            config["alpha_pattern"] = new JsonObject { ["layers.0.*.v_proj"] = 16, [".*proj"] = 4 };
        });

        var same = Combine(LoraCombination.Cat, [1], one);

        Check(same, Q, LoraFiles.Product(LoraFiles.Read(one, Q), 4 / 2.0));
        Check(same, V, LoraFiles.Product(LoraFiles.Read(one, V), 16 / 2.0));
        Assert.Empty(Config(same)["alpha_pattern"]!.AsObject());
    }

    [Fact]
    public void Pefts_adapters_combined_answer_as_both_merged_one_on_another()
    {
        using var scope = NewDisposeScope();
        using var model = Fixtures.Llama();
        string[] folders =
            [.. new[] { "lora_llama_all", "lora_llama_default_qv" }.Select(name => Fixtures.Path("peft", name, "adapter_final"))];
        using var combined = LoadedAdapter.Load(model, "both", Combine(LoraCombination.Cat, [1, 1], folders));
        using var first = LoadedAdapter.Load(model, "first", folders[0]);
        using var second = LoadedAdapter.Load(model, "second", folders[1]);
        using var below = MergedAdapter.Into(model, first);
        var wanted = Merging.TestAdapters.Logits(model, second);
        below.Dispose();

        Assert.True(Fixtures.MaxDifference(wanted, Merging.TestAdapters.Logits(model, combined)) < 2e-5);
        Assert.Equal(12, combined.Facts.Rank);
    }

    [Fact]
    public void What_does_not_fit_together_is_named()
    {
        var one = Make("one", 1, alpha: 8, (Q, 6, 5, 2));
        var wider = Make("wider", 2, alpha: 8, (Q, 6, 5, 3));
        var foreign = Make("foreign", 3, alpha: 8, (Q, 6, 7, 2));
        string Refused(LoraCombination method, double[] weights, string[] adapters, double density = 0.5, int? rank = null) =>
            Assert.Throws<TuningException>(() => Combine(method, weights, adapters, density, rank: rank)).Message;

        Assert.Contains($"'{Q}' has the ranks 2 and 3", Refused(LoraCombination.Linear, [1, 1], [one, wider]), StringComparison.Ordinal);
        Assert.Contains("6 x 5 and 7", Refused(LoraCombination.Cat, [1, 1], [one, foreign]), StringComparison.Ordinal);
        Assert.Contains("1 weights for 2 adapters", Refused(LoraCombination.Cat, [1], [one, wider]), StringComparison.Ordinal);
        Assert.Contains("cat and svd take any", Refused(LoraCombination.Ties, [1, -1], [one, one]), StringComparison.Ordinal);
        Assert.Contains("the density is 1.5", Refused(LoraCombination.Ties, [1, 1], [one, one], 1.5), StringComparison.Ordinal);
        Assert.Contains("only svd takes a rank", Refused(LoraCombination.Cat, [1, 1], [one, one], rank: 2), StringComparison.Ordinal);
        var dora = LoraFiles.Write(Path.Combine(folder.FullName, "dora"), 1, 8, [(Q, 6, 5, 2)], config =>
            (config["use_dora"], config["bias"], config["modules_to_save"]) = (true, "all", new JsonArray("lm_head")));
        var message = Assert.Throws<ModelFormatException>(() => Combine(LoraCombination.Cat, [1, 1], one, dora)).Message;
        foreach (var part in (string[])["use_dora", "bias is 'all'", "modules_to_save"])
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    private string Make(string name, ulong seed, double alpha, params (string, int, int, int)[] modules) =>
        LoraFiles.Write(Path.Combine(folder.FullName, name), seed, alpha, modules);

    private string Combine(LoraCombination method, double[] weights, params string[] adapters) => Combine(method, weights, adapters, 0.5);

    private string Combine(LoraCombination method, double[] weights, string one, string other, int? rank = null) =>
        Combine(method, weights, [one, other], 0.5, rank: rank);

    private string Combine(LoraCombination method, double[] weights, string[] adapters, double density, long seed = 0, int? rank = null)
    {
        var output = folder.CreateSubdirectory(Guid.NewGuid().ToString("n")).FullName;
        LoraCombiner.Write(adapters, new CombinationOptions(method, weights, density, seed, rank), output);
        return output;
    }

    private static JsonObject Config(string adapter) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(adapter, "adapter_config.json")))!.AsObject();

    /// <summary>Trim, elect, mean, one element after another.</summary>
    private static void Ties(float[,] found, IReadOnlyList<float[,]> tensors, double[] roots, double density)
    {
        var (rows, columns) = (found.GetLength(0), found.GetLength(1));
        var trimmed = tensors.Select(t =>
        {
            var least = t.Cast<float>().Select(Math.Abs).OrderDescending().ElementAt((int)(density * t.Length) - 1);
            return (Func<int, int, double>)((i, j) => Math.Abs(t[i, j]) >= least ? t[i, j] : 0);
        }).ToList();
        Check(found, (i, j) =>
        {
            var sign = trimmed.Sum(t => t(i, j)) >= 0 ? 1 : -1;
            var agreeing = trimmed.Select((t, a) => (Value: t(i, j), Root: roots[a])).Where(v => Math.Sign(v.Value) == sign).ToList();
            return agreeing.Count == 0 ? 0 : agreeing.Sum(v => v.Value * v.Root) / agreeing.Count;
        });
        Assert.Equal((rows, columns), (tensors[0].GetLength(0), tensors[0].GetLength(1)));
    }

    private static void Check(string adapter, string module, double[,] wanted) =>
        Assert.True(LoraFiles.Largest(wanted, LoraFiles.Product(LoraFiles.Read(adapter, module))) < 1e-5);

    private static void Check(float[,] found, Func<int, int, double> wanted)
    {
        for (var i = 0; i < found.GetLength(0); i++)
            for (var j = 0; j < found.GetLength(1); j++) Assert.Equal(wanted(i, j), found[i, j], 1e-5);
    }

    private static double[,] Sum(double[,] a, double[,] b) => Difference(a, b, -1);

    private static double[,] Difference(double[,] a, double[,] b, double factor = 1)
    {
        var result = new double[a.GetLength(0), a.GetLength(1)];
        for (var i = 0; i < a.GetLength(0); i++)
            for (var j = 0; j < a.GetLength(1); j++) result[i, j] = a[i, j] - factor * b[i, j];
        return result;
    }
}
