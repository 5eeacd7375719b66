using Graft.Contract;

namespace Graft.Benchmarks.Methods;

/// <summary>A method as it takes part in the comparison.</summary>
/// <param name="Name">In the table and the plots.</param>
/// <param name="LearningRate">With which it learns the quickstart's task; one to three were tried.</param>
/// <param name="Nf4">Over a base in four-bit NormalFloat.</param>
/// <param name="OnSnips">It takes part in the comparison on SmolLM2 too.</param>
internal sealed record MethodCase(string Name, Method Method, double LearningRate, bool Nf4 = false, bool OnSnips = false)
{
    private static readonly LoraMethod Lora = new(new LoraTargets { AllLinear = new AllLinear() });

    /// <summary>Every method once, with the options that its authors or libraries recommend.</summary>
    public static IReadOnlyList<MethodCase> All { get; } =
    [
        new("full", new Method { Full = new FullMethod() }, 0.001),
        new("LoRA", new Method { Lora = Lora }, 0.004, OnSnips: true),
        new("rsLoRA", new Method { Lora = Lora with { RsLora = true } }, 0.004),
        new("DoRA", new Method { Lora = Lora with { Dora = true } }, 0.004),
        new("LoRA+", new Method { Lora = Lora with { LoraPlusRatio = 16 } }, 0.001),
        new("PiSSA", new Method { Lora = Lora with { Initialization = LoraInitialization.Pissa } }, 0.001),
        new("QLoRA", new Method { Lora = Lora }, 0.004, Nf4: true),
        new("IA3", new Method { Ia3 = new Ia3Method() }, 0.15, OnSnips: true),
        new("bottleneck, Houlsby", new Method { Bottleneck = new BottleneckMethod(BottleneckPlacement.Houlsby) }, 0.015),
        new("bottleneck, Pfeiffer", new Method { Bottleneck = new BottleneckMethod() }, 0.015, OnSnips: true),
        new("bottleneck, parallel", new Method { Bottleneck = new BottleneckMethod(BottleneckPlacement.Parallel) }, 0.004),
        new("prefix tuning", new Method { PrefixTuning = new PrefixTuningMethod() }, 0.15, OnSnips: true),
        new("prefix, projected", new Method { PrefixTuning = new PrefixTuningMethod(20, new PrefixProjection()) }, 0.004),
        new("P-tuning", new Method { PTuning = new PTuningMethod() }, 0.01),
        new("prompt, vocabulary", Prompt(null), 0.3, OnSnips: true),
        new("prompt, text", Prompt(new PromptInitialization { Text = "Sort the message by team and urgency." }), 0.3),
        new("prompt, random", Prompt(new PromptInitialization { Random = new RandomInitialization() }), 0.3),
    ];

    private static Method Prompt(PromptInitialization? first) => new() { PromptTuning = new PromptTuningMethod(20, first) };
}
