using Graft.Contract;
using Graft.Modeling;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Trainer.Training;

/// <summary>
/// AdamW over all trainable tensors as one flat vector: gradients are views of it, so that the norm, the moments and the
/// update are a handful of operators however many tensors there are. Arithmetic and state are float32, as torch.optim.AdamW's
/// is for float32 parameters.
/// </summary>
internal sealed class FlatAdamW : IDisposable
{
    private readonly AdamW options;
    private readonly IReadOnlyList<Trainable> parameters;
    private readonly List<Tensor> gradientViews = [], updateViews = [];
    private readonly Tensor gradient, update, mean, square;   // each (P): all trainable parameters
    private int step;

    public FlatAdamW(IReadOnlyList<Trainable> parameters, AdamW options, Device device)
    {
        (this.parameters, this.options) = (parameters, options);
        var total = parameters.Sum(p => p.Parameter.NumberOfElements);
        gradient = zeros(total, ScalarType.Float32, device).DetachFromDisposeScope();
        update = zeros(total, ScalarType.Float32, device).DetachFromDisposeScope();
        mean = zeros(total, ScalarType.Float32, device).DetachFromDisposeScope();
        square = zeros(total, ScalarType.Float32, device).DetachFromDisposeScope();
        long at = 0;
        foreach (var (_, parameter) in parameters)
        {
            if (parameter.dtype != ScalarType.Float32)
                throw new ArgumentException($"a trainable tensor is {parameter.dtype}; they are float32", nameof(parameters));
            gradientViews.Add(View(gradient, at, parameter));
            updateViews.Add(View(update, at, parameter));
            // Autograd adds to a gradient that is already there in place, so the flat vector fills itself.
            parameter.grad = gradientViews[^1];
            at += parameter.NumberOfElements;
        }
    }

    /// <summary>Forgets the last step's gradients.</summary>
    public void ZeroGradients() => gradient.zero_();

    /// <summary>L2 norm over all gradients, before any clipping. Waits for the device.</summary>
    public double GradientNorm()
    {
        using var norm = gradient.norm();
        return norm.ToDouble();
    }

    /// <summary>Moves every parameter once.</summary>
    /// <param name="norm">What <see cref="GradientNorm"/> said.</param>
    /// <param name="maxNorm">Gradients count min(1, maxNorm / norm) times.</param>
    public void Step(double learningRate, double norm, double maxNorm)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        step++;
        var scale = Math.Min(1, maxNorm / (norm + 1e-6));
        if (scale < 1) gradient.mul_(scale);
        mean.lerp_(gradient, 1 - options.Beta1);
        square.mul_(options.Beta2).addcmul_(gradient, gradient, 1 - options.Beta2);
        var meanBias = 1 - Math.Pow(options.Beta1, step);
        var squareBias = 1 - Math.Pow(options.Beta2, step);
        var denominator = square.sqrt().div_(Math.Sqrt(squareBias)).add_(options.Epsilon);
        update.copy_(mean).div_(denominator).mul_(-learningRate / meanBias);
        for (var i = 0; i < parameters.Count; i++)
        {
            var (_, parameter, rate) = parameters[i];
            if (rate != 1) updateViews[i].mul_(rate);
            if (options.WeightDecay != 0) parameter.mul_(1 - learningRate * rate * options.WeightDecay);
            parameter.add_(updateViews[i]);
        }
    }

    public void Dispose()
    {
        foreach (var (_, parameter) in parameters) parameter.grad = null;
        foreach (var view in gradientViews.Concat(updateViews)) view.Dispose();
        gradient.Dispose();
        update.Dispose();
        mean.Dispose();
        square.Dispose();
    }

    private static Tensor View(Tensor flat, long at, Tensor like)
    {
        using var part = flat.narrow(0, at, like.NumberOfElements);
        return part.view(like.shape).DetachFromDisposeScope();
    }
}
