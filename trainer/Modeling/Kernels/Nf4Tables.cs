namespace Graft.Modeling.Kernels;

/// <summary>
/// The numbers that NF4 is made of, as bitsandbytes has them (<c>bitsandbytes/functional.py</c>), which QLoRA was published with
/// (Dettmers et al. 2023, arXiv:2305.14314, appendix E).
/// </summary>
internal static class Nf4Tables
{
    /// <summary>Quantiles of the normal distribution, scaled into [-1, 1], with an exact zero.</summary>
    public static ReadOnlySpan<float> Levels =>
    [
        -1f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f,
        -0.09105003625154495f, 0f, 0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1f,
    ];

    /// <summary>
    /// The 256 signed numbers of the 8-bit dynamic type, ascending (Dettmers 2016, arXiv:1511.04561): sign, a decimal exponent from
    /// -6 to 0, and a linear fraction whose resolution grows with the exponent; besides, 0 and 1.
    /// </summary>
    public static float[] DynamicMap()
    {
        var values = new List<float> { 0, 1 };
        for (var exponent = -6; exponent <= 0; exponent++)
        {
            // The fractions are the middles of 2^k equal parts of [0.1, 1].
            var parts = 1 << (exponent + 6);
            for (var i = 0; i < parts; i++)
            {
                var middle = 0.1 + 0.9 * (i + 0.5) / parts;
                values.Add((float)(middle * Math.Pow(10, exponent)));
                values.Add((float)(-middle * Math.Pow(10, exponent)));
            }
        }
        return [.. values.Order()];
    }
}
