namespace Graft.Modeling.Kernels;

/// <summary>
/// An activation of the form f(x) = x sigmoid(p(x)) with p(x) = <paramref name="Linear"/> x + <paramref name="Cubic"/> x^3: SiLU, and
/// GELU by its approximations.
/// </summary>
internal readonly record struct SigmoidCurve(double Linear, double Cubic);
