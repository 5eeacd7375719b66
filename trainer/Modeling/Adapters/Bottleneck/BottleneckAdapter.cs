using Graft.Modeling.Models;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Two small linear layers with an activation between them, A(x) = up(f(down(x))), at a half of a block that makes h of the stream x. The
/// stream goes on with x + h + s A(·), where A reads h (Houlsby et al. 2019, arXiv:1902.00751), norm(x + h) (Pfeiffer et al. 2020,
/// arXiv:2005.00247) or x (He et al. 2021, arXiv:2110.04366). As AdapterHub's adapters 1.2 computes it.
/// </summary>
internal sealed class BottleneckAdapter : ResidualAdapter
{
    private readonly BottleneckConfig config;
    private readonly Activation activation;
    private readonly Func<Tensor, Tensor> dropout;
    private readonly Tensor down, downBias, up, upBias;

    // Kept, as Scalars.One is and for the same reason.
    private readonly TorchSharp.Scalar scaling;

    /// <param name="at">Prefix of its tensors' names.</param>
    /// <param name="size">C.</param>
    /// <param name="dropout">What becomes of what comes out, while training.</param>
    public BottleneckAdapter(
        BottleneckConfig config, Activation activation, AdapterTensors tensors, string at, int size, Func<Tensor, Tensor> dropout)
    {
        (this.config, this.activation, this.dropout, scaling) = (config, activation, dropout, config.Scaling);
        var width = config.WidthIn(size);
        var (drawDown, drawUp) = Draws(config.Initialization, size);
        down = tensors.Take(at + "adapter_down.0.weight", [width, size], drawDown);
        downBias = tensors.Take(at + "adapter_down.0.bias", [width], Initial.Zero);
        up = tensors.Take(at + "adapter_up.weight", [size, width], drawUp);
        upBias = tensors.Take(at + "adapter_up.bias", [size], Initial.Zero);
    }

    public override Tensor Join(Tensor residual, Tensor output, Layer? norm, Pass pass)
    {
        if (config.Parallel) return output.add(Through(residual)).add(residual, Scalars.One);
        var input = output;
        if (config.NormBefore)
        {
            input = output.add(residual, Scalars.One);
            if (norm is not null) input = norm(input, pass);
        }
        return output.add(Through(input)).add(residual, Scalars.One);
    }

    public override void Dispose()
    {
        foreach (var tensor in (Tensor[])[down, downBias, up, upBias]) tensor.Dispose();
    }

    /// <param name="x">(N, C).</param>
    /// <returns>s A(x): (N, C).</returns>
    private Tensor Through(Tensor x)
    {
        Tensor As(Tensor own) => own.dtype == x.dtype ? own : own.to_type(x.dtype);
        var middle = activation.Apply(nn.functional.linear(x, As(down), As(downBias)));         // (N, width)
        return dropout(nn.functional.linear(middle, As(up), As(upBias)).mul(scaling));
    }

    /// <summary>Down and up, as AdapterHub draws them.</summary>
    private static (Draw Down, Draw Up) Draws(string initialization, int size) => initialization switch
    {
        "mam_adapter" => (Initial.Uniform(1 / Math.Sqrt(size)), Initial.Zero),
        "houlsby" => (Initial.TruncatedNormal(0.01), Initial.TruncatedNormal(0.01)),
        _ => (Initial.Normal(0.02), Initial.Normal(0.02)),
    };
}
