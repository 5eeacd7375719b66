namespace Graft.Contract;

/// <summary>
/// A union: exactly one member is set; it says which weights train, and how. A new method is a new member here and a row in the trainer's
/// table of methods.
/// </summary>
public sealed record Method
{
    public LoraMethod? Lora { get; init; }
    public PromptTuningMethod? PromptTuning { get; init; }
    public PTuningMethod? PTuning { get; init; }
    public PrefixTuningMethod? PrefixTuning { get; init; }
    public BottleneckMethod? Bottleneck { get; init; }
    public Ia3Method? Ia3 { get; init; }
    public FullMethod? Full { get; init; }
}
