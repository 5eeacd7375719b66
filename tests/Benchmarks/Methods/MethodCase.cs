using Graft.Contract;

namespace Graft.Benchmarks.Methods;

/// <summary>A method as it takes part in the comparison.</summary>
/// <param name="Name">In the table and the plots.</param>
/// <param name="LearningRate">Times the LoRA's, which is the task's own.</param>
/// <param name="Nf4">Over a base in four-bit NormalFloat.</param>
internal sealed record MethodCase(string Name, Method Method, double LearningRate, bool Nf4 = false)
{
    private static readonly LoraMethod Lora = new(new LoraTargets { AllLinear = new AllLinear() });

    /// <summary>
    /// Every method once, with the options that its authors or libraries recommend. Rates are where each learns the quickstart's task
    /// best, of 1, 3 and 10 times the powers of ten.
    /// </summary>
    public static IReadOnlyList<MethodCase> All { get; } =
    [
        new("full", new Method { Full = new FullMethod() }, 0.25),
        new("LoRA", new Method { Lora = Lora }, 1),
        new("rsLoRA", new Method { Lora = Lora with { RsLora = true } }, 1),
        new("DoRA", new Method { Lora = Lora with { Dora = true } }, 1),
        new("LoRA+", new Method { Lora = Lora with { LoraPlusRatio = 16 } }, 0.25),
        new("PiSSA", new Method { Lora = Lora with { Initialization = LoraInitialization.Pissa } }, 0.25),
        new("QLoRA", new Method { Lora = Lora }, 1, Nf4: true),
        new("IA3", new Method { Ia3 = new Ia3Method() }, 10),
        new("bottleneck, Houlsby", new Method { Bottleneck = new BottleneckMethod(BottleneckPlacement.Houlsby) }, 1),
        new("bottleneck, Pfeiffer", new Method { Bottleneck = new BottleneckMethod() }, 1),
        new("bottleneck, parallel", new Method { Bottleneck = new BottleneckMethod(BottleneckPlacement.Parallel) }, 1),
        new("prefix tuning", new Method { PrefixTuning = new PrefixTuningMethod() }, 10),
        new("prefix, projected", new Method { PrefixTuning = new PrefixTuningMethod(20, new PrefixProjection()) }, 1),
        new("P-tuning", new Method { PTuning = new PTuningMethod() }, 1),
        new("prompt tuning", new Method { PromptTuning = new PromptTuningMethod() }, 10),
    ];
}
