using Graft.Contract;
using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Kernels;

[Collection(TorchCollection.Name)]
public sealed class Nf4Tests
{
    private static readonly Quantization DoublyQuantised = new() { Nf4 = new Nf4Quantization() };

    /// <summary>
    /// The paper's construction (appendix E): eight quantiles of the normal distribution for what is below zero, nine for what is above,
    /// evenly spaced in probability between 1 / 2 and an offset that is the mean of 1 - 1 / 30 and 1 - 1 / 32; scaled to [-1, 1].
    /// </summary>
    [Fact]
    public void Levels_are_the_papers_quantiles_of_the_normal_distribution()
    {
        const double offset = 1 - (1.0 / 30 + 1.0 / 32) / 2;
        double Quantile(double p) => Math.Sqrt(2) * special.erfinv(tensor(2 * p - 1, ScalarType.Float64)).item<double>();
        var above = Enumerable.Range(0, 8).Select(i => Quantile(offset + (0.5 - offset) * i / 8));
        var below = Enumerable.Range(0, 7).Select(i => -Quantile(offset + (0.5 - offset) * i / 7));
        var levels = above.Concat(below).Append(0).Order().ToArray();
        var largest = levels.Max(Math.Abs);
        for (var i = 0; i < 16; i++) Assert.Equal(levels[i] / largest, Nf4Tables.Levels[i], 2e-6);
    }

    [Fact]
    public void The_dynamic_map_has_256_distinct_numbers_with_zero_and_one()
    {
        var map = Nf4Tables.DynamicMap();
        Assert.Equal(256, map.Distinct().Count());
        Assert.Equal(map.Order(), map);
        Assert.Contains(0f, map);
        Assert.Equal(1f, map[255]);
        // The one of the smallest exponent is the middle of [0.1, 1]; of the largest, the last of 64 parts.
        Assert.Contains(map, v => Math.Abs(v - 0.55e-6) < 1e-12);
        Assert.Equal(0.1 + 0.9 * 63.5 / 64, map[254], 1e-6);
        Assert.Equal(-map[254], map[0], 1e-7);
    }

    [Theory]
    [InlineData(48, 128, true)]
    [InlineData(48, 128, false)]
    [InlineData(300, 192, true)]    // several blocks of scales
    [InlineData(7, 37, true)]       // rows that do not begin with a block, and a last block that is not full
    [InlineData(7, 37, false)]
    public void A_matrix_becomes_what_the_papers_definition_says(int rows, int columns, bool doubleQuant)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var weight = randn([rows, columns], ScalarType.Float32, generator: new Generator(5)).mul(0.05);
        using var matrix = Nf4.Quantise(weight, doubleQuant, Fixtures.Cpu);
        var expected = Definition(weight.data<float>().ToArray(), doubleQuant);
        var found = matrix.Widen(0, rows, ScalarType.Float32).data<float>().ToArray();
        for (var i = 0; i < found.Length; i++) Assert.Equal(expected[i], found[i], 1e-6);

        // A part is that part of the whole; and torch's operators, which other devices use, agree.
        using var parts = Nf4.Parts(weight, doubleQuant);
        using var elsewhere = new Nf4DeviceMatrix(parts, rows, columns);
        var part = matrix.Widen(2, 3, ScalarType.Float32);
        Assert.Equal(0, Fixtures.MaxDifference(matrix.Widen(0, rows, ScalarType.Float32).narrow(0, 2, 3), part));
        Assert.Equal(0, Fixtures.MaxDifference(part, elsewhere.Widen(2, 3, ScalarType.Float32)));
        Assert.Equal(matrix.Widen(2, 3, ScalarType.BFloat16).to_type(ScalarType.Float32).bytes.ToArray(),
            elsewhere.Widen(2, 3, ScalarType.BFloat16).to_type(ScalarType.Float32).bytes.ToArray());
    }

    [Fact]
    public void Errors_stay_within_half_the_widest_gap_and_zeros_stay_zero()
    {
        using var scope = NewDisposeScope();
        var weight = randn([64, 256], ScalarType.Float32, generator: new Generator(6));
        weight.narrow(0, 3, 1).zero_();
        using var exactScales = Nf4.Quantise(weight, doubleQuant: false, Fixtures.Cpu);
        var error = exactScales.Widen(0, 64, ScalarType.Float32).sub(weight).abs();
        var largest = weight.view(-1, 64).abs().amax([1L]);                                    // (B)
        Assert.True(error.view(-1, 64).amax([1L]).le(largest.mul(0.1520)).all().item<bool>());     // (0.6962 - 0.3949 ... 1 - 0.6962) / 2
        Assert.Equal(0f, error[3].abs().max().item<float>());
        // Of normal weights the mean error is about a fourteenth of their deviation.
        Assert.InRange(error.mean().item<float>(), 0.05f, 0.09f);
        using var quantisedScales = Nf4.Quantise(weight, doubleQuant: true, Fixtures.Cpu);
        Assert.InRange(quantisedScales.Widen(0, 64, ScalarType.Float32).sub(weight).abs().mean().item<float>(), 0.05f, 0.09f);
        Assert.Equal(0f, quantisedScales.Widen(3, 1, ScalarType.Float32).abs().max().item<float>());
    }

    [Fact]
    public void It_takes_half_a_byte_a_weight_and_its_scales()
    {
        var weight = zeros([1024, 1024], ScalarType.Float32);
        using var doubly = Nf4.Quantise(weight, doubleQuant: true, Fixtures.Cpu);
        using var simply = Nf4.Quantise(weight, doubleQuant: false, Fixtures.Cpu);
        Assert.Equal(4.127, doubly.Bytes * 8.0 / weight.numel(), 1e-3);      // the paper's figure
        Assert.Equal(4.5, simply.Bytes * 8.0 / weight.numel(), 1e-9);
    }

    [Fact]
    public void A_lora_on_an_nf4_base_has_the_gradients_of_the_widened_base()
    {
        using var scope = NewDisposeScope();
        var path = Fixtures.Path("models", "llama");
        using var packed = BaseModel.Load(path,
            new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false, Quantization: DoublyQuantised));
        Assert.Equal(["NF4"], packed.PackedFormats);
        Assert.All(packed.Network.Linears, l => Assert.Null(l.Weight.Dense));
        Assert.NotNull(packed.Network.OutputWeight.Dense);
        using var wide = Fixtures.Llama();
        using (no_grad())
            foreach (var (to, from) in wide.Network.Linears.Zip(packed.Network.Linears)) to.Weight.Dense!.copy_(from.Weight.Widened());
        var (a, b) = (Gradients(packed), Gradients(wide));
        Assert.NotEmpty(a);
        foreach (var (one, other) in a.Zip(b)) Assert.True(Fixtures.MaxDifference(one, other) < 1e-5 * (1 + one.abs().max().item<float>()));
    }

    [Theory]
    [InlineData("gpt2")]      // stored as (in, out)
    [InlineData("qwen2")]     // biases, tied embeddings
    [InlineData("phi3")]      // several projections in one
    public void Every_architecture_computes_with_nf4_as_with_the_widened_weights(string name)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var options = new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false);
        using var packed = BaseModel.Load(Fixtures.Path("models", name), options with { Quantization = DoublyQuantised });
        using var wide = BaseModel.Load(Fixtures.Path("models", name), options);
        var ids = tensor(Enumerable.Range(8, 30).Select(i => (long)i).ToArray());
        Tensor Logits(BaseModel model)
        {
            using var pass = Pass.OfLengths([30], model.Device);
            return model.Network.Logits(model.Network.Forward(ids, pass));
        }
        Assert.True(Fixtures.MaxDifference(Logits(packed), Logits(wide)) > 1e-3);
        foreach (var (to, from) in wide.Network.Linears.Zip(packed.Network.Linears))
        {
            Assert.Equal("NF4", from.Weight.Format);
            Assert.Equal((to.OutFeatures, to.InFeatures), (from.OutFeatures, from.InFeatures));
            to.Weight.Dense!.copy_(to.InputFirst ? from.Weight.Widened().t() : from.Weight.Widened());
        }
        Assert.True(Fixtures.MaxDifference(Logits(packed), Logits(wide)) < 1e-4);
    }

    [Fact]
    public void Weights_that_train_are_not_quantised()
    {
        using var packed = BaseModel.Load(
            Fixtures.Path("models", "llama"),
                new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false, Quantization: DoublyQuantised));
        using var method = TuningMethods.Create(new Method { Full = new FullMethod() });
        Assert.Contains("NF4", Assert.Throws<TuningException>(() => method.Attach(packed, new Generator(0))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_quantised_is_not_quantised_again()
    {
        var thrown = Assert.Throws<ModelFormatException>(() => BaseModel.Load(
            Fixtures.Path("gguf", "byte_bpe-q4_0"), new LoadOptions(Fixtures.Cpu, ScalarType.Float32, Quantization: DoublyQuantised)));
        Assert.Contains("a second time", thrown.Message, StringComparison.Ordinal);
    }

    private static List<Tensor> Gradients(BaseModel model)
    {
        var everywhere = new LoraTargets { AllLinear = new AllLinear() };
        using var method = TuningMethods.Create(new Method { Lora = new LoraMethod(everywhere, Rank: 4) });
        method.Attach(model, new Generator(3));
        using (no_grad())
            foreach (var (key, b) in method.Trainable)
                if (key.Contains("lora_B", StringComparison.Ordinal)) b.fill_(0.01);
        using var pass = Pass.OfLengths([4], model.Device);
        model.Network.Forward(tensor(new long[] { 9, 100, 20, 33 }), pass).square().sum().backward();
        return [.. method.Trainable.Select(t => t.Parameter.grad!.clone())];
    }

    /// <summary>
    /// Straight from the paper: nearest level of x / c, with c the block's largest magnitude, itself quantised where asked.
    /// </summary>
    private static float[] Definition(float[] weight, bool doubleQuant)
    {
        var blocks = weight.Chunk(64).ToList();
        var scales = blocks.Select(b => b.Max(Math.Abs)).ToArray();
        var used = scales;
        if (doubleQuant)
        {
            var mean = (float)scales.Average(s => (double)s);
            var map = Nf4Tables.DynamicMap();
            used = [.. scales.Chunk(256).SelectMany(group =>
            {
                var largest = group.Max(s => Math.Abs(s - mean));
                return group.Select(s => map.MinBy(m => Math.Abs(m - (s - mean) / largest)) * largest + mean);
            })];
        }
        var levels = Nf4Tables.Levels.ToArray();
        return [.. blocks.SelectMany((block, b) => block.Select(x => levels.MinBy(l => Math.Abs(l - x / scales[b])) * used[b]))];
    }
}
