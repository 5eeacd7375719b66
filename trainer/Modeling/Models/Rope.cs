using static TorchSharp.torch;

namespace Graft.Modeling.Models;

/// <summary>
/// Rotary positions of a kind of layer (Su et al. 2021, arXiv:2104.09864): by which angle each pair of a head's elements turns from one
/// token to the next. Some models turn by other angles once a text is long; all of a text then turns by those.
/// </summary>
internal sealed class Rope
{
    private readonly Func<int, Tensor> frequencies;
    private readonly Func<int, int>? regime;
    private readonly Dictionary<int, float[]> known = [];

    /// <param name="size">Elements of each head that are turned, R; the others stay.</param>
    /// <param name="frequencies">(R / 2) float32 in radians, of a regime.</param>
    /// <param name="amplitude">Factor on cosines and sines.</param>
    /// <param name="regime">The regime of a text's length; null: there is only one.</param>
    public Rope(int size, Func<int, Tensor> frequencies, double amplitude = 1, Func<int, int>? regime = null) =>
        (Size, this.frequencies, Amplitude, this.regime) = (size, frequencies, amplitude, regime);

    public int Size { get; }
    public double Amplitude { get; }

    /// <summary>How many times longer than its configured positions a text may be.</summary>
    public double Stretch { get; init; } = 1;
    public bool DependsOnLength => regime is not null;

    /// <summary>Whether a text of these two lengths turns by the same angles.</summary>
    public bool Agrees(int length, int other) => RegimeOf(length) == RegimeOf(other);

    /// <summary>(R / 2): the frequencies for a text of that length.</summary>
    public float[] Frequencies(int length)
    {
        var key = RegimeOf(length);
        if (known.TryGetValue(key, out var found)) return found;
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var made = frequencies(key).data<float>().ToArray();
        if (known.Count < 8) known.Add(key, made);
        return made;
    }

    private int RegimeOf(int length) => regime?.Invoke(length) ?? 0;

    /// <summary>1 / theta^(2i / R), in float32 as the models were trained with.</summary>
    public static Tensor Plain(double theta, int size) => pow(tensor((float)theta), Exponents(size)).reciprocal();

    /// <summary>2i / R for i below R / 2.</summary>
    public static Tensor Exponents(int size) => arange(0, size, 2, ScalarType.Float32).div((double)size);
}
