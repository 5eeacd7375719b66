using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>A tensor that a method trains: a float32 leaf.</summary>
/// <param name="Rate">It learns so many times as fast as the run's learning rate says.</param>
public sealed record Trainable(string Name, Tensor Parameter, double Rate = 1)
{
    public void Deconstruct(out string name, out Tensor parameter) => (name, parameter) = (Name, Parameter);
}
