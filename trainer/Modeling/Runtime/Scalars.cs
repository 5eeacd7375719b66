using TorchSharp;

namespace Graft.Modeling.Runtime;

/// <summary>
/// Native numbers that live as long as the process. TorchSharp makes one for every number that an operator is given, frees it
/// in a finalizer, and does not keep it alive during the call: a collection at that moment frees it under the operator.
/// Code that runs for every layer uses these instead, which also leaves the finalizer nothing to do.
/// </summary>
internal static class Scalars
{
    public static readonly Scalar One = 1;
}
