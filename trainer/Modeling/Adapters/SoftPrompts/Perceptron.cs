using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>Linear layers with an activation between them, in float32.</summary>
internal sealed class Perceptron : PromptEncoder
{
    private readonly List<(Tensor Weight, Tensor Bias)> layers = [];
    private readonly Func<Tensor, Tensor> activation;

    /// <param name="name">Of the <c>Sequential</c> that they are in PEFT, where every second module is the activation.</param>
    /// <param name="widths">Of the input, between the layers, and of the output.</param>
    public Perceptron(AdapterTensors tensors, string name, Func<Tensor, Tensor> activation, params ReadOnlySpan<int> widths)
    {
        this.activation = activation;
        for (var i = 0; i + 1 < widths.Length; i++)
        {
            // As torch.nn.Linear begins.
            var draw = Initial.Uniform(1 / Math.Sqrt(widths[i]));
            layers.Add((tensors.Take($"{name}.{2 * i}.weight", [widths[i + 1], widths[i]], draw),
                tensors.Take($"{name}.{2 * i}.bias", [widths[i + 1]], draw)));
        }
    }

    /// <param name="places">(P, first width).</param>
    /// <returns>(P, last width).</returns>
    public override Tensor Run(Tensor places)
    {
        var x = places;
        for (var i = 0; i < layers.Count; i++)
            x = nn.functional.linear(i == 0 ? x : activation(x), layers[i].Weight, layers[i].Bias);
        return x;
    }

    public override void Dispose()
    {
        foreach (var (weight, bias) in layers)
        {
            weight.Dispose();
            bias.Dispose();
        }
    }
}
