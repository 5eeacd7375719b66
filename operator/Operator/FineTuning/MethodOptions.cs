using Graft.Contract;
using Graft.Operator.Api;

namespace Graft.Operator.FineTuning;

/// <summary>The method of a FineTuneJob as <c>job.json</c> has it; what is left out gets the contract's default.</summary>
internal static class MethodOptions
{
    public static Method Of(MethodSpec method) => new()
    {
        Lora = method.Lora is { } lora ? Lora(lora) : null,
        PromptTuning = method.PromptTuning is { } prompt ? PromptTuning(prompt) : null,
        PTuning = method.PTuning is { } pTuning ? PTuning(pTuning) : null,
        PrefixTuning = method.PrefixTuning is { } prefix ? PrefixTuning(prefix) : null,
        Bottleneck = method.Bottleneck is { } bottleneck ? Bottleneck(bottleneck) : null,
        Ia3 = method.Ia3 is { } ia3 ? Ia3(ia3) : null,
        Full = method.Full is not null ? new() : null,
    };

    private static LoraMethod Lora(LoraSpec lora)
    {
        var defaults = new LoraMethod(
            lora.Targets?.Modules is { } modules ? new() { Modules = [.. modules] } : new() { AllLinear = new() });
        return defaults with
        {
            Rank = lora.Rank ?? defaults.Rank,
            Alpha = lora.Alpha ?? defaults.Alpha,
            Dropout = lora.Dropout ?? defaults.Dropout,
            RsLora = lora.RsLora ?? defaults.RsLora,
            Dora = lora.Dora ?? defaults.Dora,
            Initialization = (LoraInitialization?)lora.Initialization ?? defaults.Initialization,
            LoraPlusRatio = lora.LoraPlusRatio ?? defaults.LoraPlusRatio,
            Bias = (LoraBias?)lora.Bias ?? defaults.Bias,
            Layers = lora.Layers is { } layers ? [.. layers] : null,
            RankPattern = (lora.RankPattern ?? []).ToDictionary(p => p.Modules, p => p.Rank),
            AlphaPattern = (lora.AlphaPattern ?? []).ToDictionary(p => p.Modules, p => p.Alpha),
            ModulesToSave = [.. lora.ModulesToSave ?? []],
        };
    }

    private static PromptTuningMethod PromptTuning(PromptTuningSpec prompt)
    {
        var defaults = new PromptTuningMethod();
        return new(prompt.VirtualTokens ?? defaults.VirtualTokens, prompt.Initialization switch
        {
            null => null,
            { Random: not null } => new() { Random = new() },
            { Text: { } text } => new() { Text = text },
            _ => new() { SampledVocabulary = new() },
        });
    }

    private static PTuningMethod PTuning(PTuningSpec pTuning)
    {
        var defaults = new PTuningMethod();
        return new(pTuning.VirtualTokens ?? defaults.VirtualTokens, pTuning.Encoder switch
        {
            null => null,
            { Lstm: { } lstm } => new() { Lstm = Lstm(lstm) },
            { Mlp: var mlp } => new() { Mlp = new(mlp?.HiddenSize) },
        });
    }

    private static LstmEncoder Lstm(LstmEncoderSpec lstm)
    {
        var defaults = new LstmEncoder();
        return new(lstm.HiddenSize, lstm.Layers ?? defaults.Layers, lstm.Dropout ?? defaults.Dropout);
    }

    private static PrefixTuningMethod PrefixTuning(PrefixTuningSpec prefix)
    {
        var defaults = new PrefixTuningMethod();
        return new(prefix.VirtualTokens ?? defaults.VirtualTokens,
            prefix.Projection is { } projection ? new(projection.HiddenSize) : null);
    }

    private static BottleneckMethod Bottleneck(BottleneckSpec bottleneck)
    {
        var defaults = new BottleneckMethod();
        return new(
            (BottleneckPlacement?)bottleneck.Placement ?? defaults.Placement,
            bottleneck.ReductionFactor,
            (BottleneckActivation?)bottleneck.Activation,
            bottleneck.Scaling,
            bottleneck.Dropout ?? defaults.Dropout);
    }

    private static Ia3Method Ia3(Ia3Spec ia3) =>
        new(ia3.Targets is { } targets ? new([.. targets.Modules], [.. targets.FeedForward ?? []]) : null);
}
