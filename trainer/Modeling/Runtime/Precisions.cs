using Graft.Contract;
using Graft.Modeling.Runtime;
using static TorchSharp.torch;

namespace Graft.Modeling;

/// <summary>Which element type a precision means on a device.</summary>
public static class Precisions
{
    /// <summary>
    /// The element type of the base's weights and activations. <see cref="Precision.Auto"/> is BF16 on GPUs and on processors
    /// that multiply BF16 faster than F32, else F32; and always F32 where the weights themselves train, because their updates are
    /// smaller than BF16 resolves.
    /// </summary>
    /// <param name="weightsTrain">True for full training.</param>
    public static ScalarType Resolve(Precision precision, Device device, bool weightsTrain) => precision switch
    {
        Precision.F32 => ScalarType.Float32,
        Precision.BF16 => ScalarType.BFloat16,
        Precision.F16 => ScalarType.Float16,
        _ when weightsTrain => ScalarType.Float32,
        _ => device.type != TorchSharp.DeviceType.CPU || Processor.Current.PrefersBf16 ? ScalarType.BFloat16 : ScalarType.Float32,
    };

    /// <summary>The contract's name of an element type.</summary>
    public static Precision Of(ScalarType dtype) => dtype switch
    {
        ScalarType.Float32 => Precision.F32,
        ScalarType.BFloat16 => Precision.BF16,
        ScalarType.Float16 => Precision.F16,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a precision"),
    };
}
