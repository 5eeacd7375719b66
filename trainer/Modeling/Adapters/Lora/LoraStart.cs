using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>What A and B of a linear layer are before the first step.</summary>
/// <param name="A">Of (r, in).</param>
/// <param name="B">Of (out, r).</param>
/// <param name="FromWeight">Their product is a part of the weight, which the weight gives up.</param>
internal sealed record LoraStart(Draw A, Draw B, bool FromWeight = false)
{
    /// <summary>
    /// Kaiming-uniform with a = sqrt(5), that is, uniform within 1 / sqrt(in); B zero, so that training starts at the base.
    /// </summary>
    public static LoraStart Uniform(LinearSite site) => new(Initial.Uniform(1 / Math.Sqrt(site.InFeatures)), Initial.Zero);

    /// <param name="scale">The update counts so many times.</param>
    public static LoraStart Of(LoraInitialization how, LinearSite site, int rank, double scale) => how switch
    {
        LoraInitialization.Gaussian => new(Initial.Normal(1.0 / rank), Initial.Zero),
        LoraInitialization.Pissa => Singular(site, rank, scale),
        LoraInitialization.Olora => Orthogonal(site, rank),
        _ => Uniform(site),
    };

    /// <summary>PiSSA: W = U S V; B = U_r sqrt(S_r / scale), A = sqrt(S_r / scale) V_r (Meng et al. 2024, arXiv:2404.02948).</summary>
    private static LoraStart Singular(LinearSite site, int rank, double scale) => FromParts(() =>
    {
        var (u, s, v) = linalg.svd(Wide(site), fullMatrices: false);
        var roots = s.narrow(0, 0, rank).div(scale).sqrt();
        return (roots.unsqueeze(1).mul(v.narrow(0, 0, rank)), u.narrow(1, 0, rank).mul(roots));
    });

    /// <summary>OLoRA: W = Q R; B = Q_r, A = R_r (Buyukakyuz 2024, arXiv:2406.01775).</summary>
    private static LoraStart Orthogonal(LinearSite site, int rank) => FromParts(() =>
    {
        var (q, r) = linalg.qr(Wide(site));
        return (r.narrow(0, 0, rank), q.narrow(1, 0, rank));
    });

    /// <summary>Of the layer that both are parts of: computed when A is asked for, and given up with B.</summary>
    private static LoraStart FromParts(Func<(Tensor A, Tensor B)> compute)
    {
        Tensor? rest = null;
        return new LoraStart(
            (_, _) =>
            {
                var (a, b) = compute();
                rest = b.contiguous().clone().DetachFromDisposeScope();
                return a.contiguous().clone();
            },
            (_, _) => rest!,
            FromWeight: true);
    }

    /// <returns>(out, in) float32 on the processor.</returns>
    private static Tensor Wide(LinearSite site) => site.Matrix.Widened().detach().cpu().to_type(ScalarType.Float32);
}
