using Graft.Modeling.Kernels;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Kernels;

[Collection(TorchCollection.Name)]
public sealed class PackedProductTests
{
    private const int Out = 3000, In = 1024;

    [Theory]
    [InlineData(ScalarType.Float32, 40, 1e-4)]
    [InlineData(ScalarType.BFloat16, 40, 0.1)]
    [InlineData(ScalarType.Float32, 1, 1e-4)]       // few rows have a way of their own
    [InlineData(ScalarType.BFloat16, 8, 0.1)]
    public void Products_in_parts_are_those_with_the_whole_matrix(ScalarType dtype, int rows, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var matrix = Matrix();
        var whole = matrix.Widen(0, Out, dtype);
        var (x, g) = (Draw(rows, In).to_type(dtype), Draw(rows, Out).to_type(dtype).mul(0.05f));
        Assert.True(Fixtures.MaxDifference(nn.functional.linear(x, whole), PackedProduct.Transposed(x, matrix, dtype)) < tolerance);
        var dx = PackedProduct.Straight(g, matrix, dtype);
        Assert.Equal(dtype, dx.dtype);
        Assert.True(Fixtures.MaxDifference(g.matmul(whole), dx) < tolerance);
    }

    [Fact]
    public void Forward_and_backward_hold_one_part_of_the_matrix_at_a_time()
    {
        using var scope = NewDisposeScope();
        using var watched = new Watched(Matrix());
        var weight = new WeightMatrix(watched, ScalarType.Float32);
        var x = Draw(30, In).requires_grad_();
        using var bin = new GradientBin();
        var y = Product.Linear(x, weight, bin);
        Assert.Equal(0, watched.LiveBytes);
        var forward = watched.Widened;
        y.square().sum().backward();
        Assert.Equal(0, watched.LiveBytes);
        Assert.True(forward >= Out && watched.Widened >= 2 * Out);
        // Three parts of at most 4 MiB, while the matrix would take 12.
        Assert.InRange(watched.MostLiveBytes, 1, PackedProduct.PartElements * 4);
        Assert.True(watched.MostLiveBytes * 2 < Out * In * 4L);
    }

    [Fact]
    public void An_embedding_is_widened_by_the_rows_that_are_looked_up()
    {
        using var scope = NewDisposeScope();
        using var matrix = Matrix();
        var whole = matrix.Widen(0, Out, ScalarType.Float32);
        var ids = tensor(new long[] { 2999, 0, 17, 17 });
        Assert.Equal(0, Fixtures.MaxDifference(whole.index_select(0, ids), matrix.Gather(ids, ScalarType.Float32)));
        foreach (var wrong in new long[] { -1, 3000 })
            Assert.Throws<ArgumentOutOfRangeException>(() => matrix.Gather(tensor(new[] { wrong }), ScalarType.Float32));
    }

    /// <summary>A quantised model computes without any dense copy of its matrices, so it takes what its file takes.</summary>
    [Fact]
    public void A_quantised_model_keeps_no_wide_matrix()
    {
        using var model = BaseModel.Load(Fixtures.Path("gguf", "byte_bpe-q4_0"), new LoadOptions(Fixtures.Cpu, ScalarType.Float32));
        Assert.All(model.Network.Linears, l => Assert.Equal("Q4_0", l.Weight.Format));
        Assert.Equal("Q4_0", model.Network.OutputWeight.Format);
        Assert.All(model.Network.Weights, w => Assert.Single(w.Weight.shape));     // norms
        var elements = model.Network.Linears.Select(l => l.Weight).Append(model.Network.OutputWeight).Sum(w => w.Rows * w.Columns);
        Assert.InRange(model.WeightBytes, elements / 2, elements * 0.6);
    }

    private static Tensor Draw(int rows, int columns) => randn([rows, columns], ScalarType.Float32, generator: new Generator(9));

    private static PackedMatrix Matrix() => Nf4.Quantise(Draw(Out, In).mul(0.03f), doubleQuant: true, Fixtures.Cpu);

    /// <summary>Counts the bytes of parts that are alive.</summary>
    private sealed class Watched(PackedMatrix matrix) : PackedMatrix(matrix.Rows, matrix.Columns)
    {
        private readonly List<(Tensor Part, long Bytes)> parts = [];

        public long Widened { get; private set; }
        public long MostLiveBytes { get; private set; }
        public long LiveBytes => parts.Where(p => !p.Part.IsInvalid).Sum(p => p.Bytes);
        public override string Format => matrix.Format;
        public override long Bytes => matrix.Bytes;

        public override Tensor Widen(long first, long count, ScalarType dtype)
        {
            var part = matrix.Widen(first, count, dtype);
            parts.Add((part, part.numel() * part.element_size()));
            Widened += count;
            MostLiveBytes = Math.Max(MostLiveBytes, LiveBytes);
            return part;
        }

        public override Tensor Gather(Tensor ids, ScalarType dtype) => matrix.Gather(ids, dtype);

        public override void Dispose() => matrix.Dispose();
    }
}
