using static TorchSharp.torch;

namespace Graft.Modeling.Files;

/// <summary>
/// Weights drawn as transformers initialises a new model: norms one, biases zero, all others normal with the configuration's deviation.
/// </summary>
internal sealed class RandomWeights(ModelConfig config, string configFile, long seed) : IWeights
{
    private readonly Generator rng = new((ulong)seed, new Device(TorchSharp.DeviceType.CPU));

    public bool BacksTensors => false;
    public IReadOnlyCollection<string> Names => [];
    public IReadOnlyList<string> Files => [configFile];
    public IReadOnlyList<long>? ShapeOf(string name) => null;

    public Tensor Read(string name, IReadOnlyList<long> shape, ScalarType dtype)
    {
        long[] sizes = [.. shape];
        if (name.EndsWith(".bias", StringComparison.Ordinal)) return zeros(sizes, dtype);
        // Norms are all that has weights of one dimension.
        if (sizes.Length == 1) return config.NormOffset ? zeros(sizes, dtype) : ones(sizes, dtype);
        using var drawn = empty(sizes, ScalarType.Float32);
        drawn.normal_(0, config.InitializerRange, generator: rng);
        return drawn.to_type(dtype, copy: true);
    }

    public void Dispose() => rng.Dispose();
}
