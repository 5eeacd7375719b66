namespace Graft.Contract;

/// <summary>
/// Judges an adapter by its facts alone, without its files: what each engine's own checks would say when it is asked to load it, and where
/// an engine would load it and answer wrongly.
/// </summary>
public static class AdapterVerdicts
{
    /// <summary>What merging leaves is served by whatever serves the base.</summary>
    internal const string Merge = "put it into the base's weights with 'graft-trainer merge' and serve the model that comes out";

    public static Verdict Judge(AdapterFacts facts, AdapterFormat format, ServingLimits limits)
    {
        var (reasons, hints) = (new List<string>(), new List<string>());
        var (type, known) = (limits.ModelType ?? facts.ModelType, limits.BaseDigest);
        if (facts.BaseDigest.Length > 0 && known is not null && known != facts.BaseDigest)
            reasons.Add($"It was trained on the base {facts.BaseDigest}, and the engine's is {known}: serve it on the base "
                + "that it was trained on.");
        if (limits.ModelType is { } served && facts.ModelType is { } trained && served != trained)
            reasons.Add($"It was trained on a model of the type {trained}, and the engine's is {served}: serve it on the base "
                + "that it was trained on.");
        if (limits.MaxBytes is { } most && facts.Bytes > most)
            reasons.Add($"Its files have {facts.Bytes} bytes, and the engine takes {most}: lower the rank, or tune fewer modules.");
        EngineRules.Of(limits.Engine).Judge(new Judged(facts, format, limits, type), reasons, hints);
        return Verdict.Of(limits.Engine, reasons, hints);
    }

    /// <summary>A whole model, which an engine serves as its base.</summary>
    /// <param name="gguf">It is one GGUF file.</param>
    public static Verdict JudgeModel(ServingEngine engine, bool gguf)
    {
        var (reasons, hints) = (new List<string>(), new List<string>());
        if (engine == ServingEngine.Llamacpp && !gguf)
            reasons.Add("llama.cpp reads models as GGUF files: write one with 'graft-trainer convert --model FOLDER --output FILE.gguf'.");
        else if (engine == ServingEngine.Sglang && gguf)
            hints.Add("SGLang may want --quantization gguf, and the tokenizer of the model that the file was made from.");
        hints.Add("It is a whole model: start the engine with it as its model, not as an adapter.");
        return Verdict.Of(engine, reasons, hints);
    }
}

/// <summary>What an engine's rules look at.</summary>
/// <param name="ModelType">Of the base, as far as anybody knows.</param>
internal sealed record Judged(AdapterFacts Facts, AdapterFormat Format, ServingLimits Limits, string? ModelType)
{
    public bool IsLora => Facts.Method == "lora";

    /// <summary>The rank that an engine must have room for.</summary>
    public int Rank => Facts.MaxRank ?? Facts.Rank ?? 0;

    /// <summary>What to do where an engine does not take an adapter as it is.</summary>
    /// <param name="otherwise">What a person can do who trains it anew.</param>
    public string Instead(string? otherwise = null) => (Facts.Mergeable, otherwise) switch
    {
        (true, null) => AdapterVerdicts.Merge,
        (true, _) => $"{AdapterVerdicts.Merge}, or {otherwise}",
        (false, null) => "serve it with Graft's own server",
        (false, _) => $"serve it with Graft's own server, or {otherwise}",
    };
}

internal abstract class EngineRules
{
    public static EngineRules Of(ServingEngine engine) => engine switch
    {
        ServingEngine.Vllm => new VllmRules(),
        ServingEngine.Sglang => new SglangRules(),
        ServingEngine.Llamacpp => new LlamacppRules(),
        _ => new GraftRules(),
    };

    public abstract void Judge(Judged adapter, List<string> reasons, List<string> hints);

    /// <summary>What is said of every adapter that is no LoRA, by an engine that takes nothing else.</summary>
    /// <returns>Whether it is a LoRA.</returns>
    protected static bool NeedsLora(string engine, Judged adapter, List<string> reasons)
    {
        if (adapter.IsLora) return true;
        var facts = adapter.Facts;
        reasons.Add(facts.VirtualTokens is { } tokens
            ? $"{engine} takes LoRA only, and this is {facts.Method}: {tokens} virtual tokens before the text, which no "
                + "weight of the base can say; "
                + $"{adapter.Instead()}."
            : $"{engine} takes LoRA only, and this is {facts.Method}; {adapter.Instead()}.");
        return false;
    }

    protected static void NeedsGeneration(string engine, Judged adapter, List<string> reasons)
    {
        if (adapter.Facts.Task == "SEQ_CLS")
            reasons.Add($"{engine} serves LoRA for generating text, and this one classifies texts, with a head of its own; ask it with "
                + "'graft-trainer evaluate'.");
    }

    /// <summary>Nobody has read that an engine takes no other architecture, so none is refused for it.</summary>
    protected static void HintModelType(string engine, Judged adapter, IReadOnlyCollection<string> known, List<string> hints)
    {
        if (adapter.ModelType is not { } type)
            hints.Add($"Which architecture its base has is not known; {engine} is known to take LoRA on {string.Join(", ", known)}.");
        else if (!known.Contains(type))
            hints.Add($"Whether {engine} takes LoRA on models of the type {type} is not known; if not, {adapter.Instead()}.");
    }
}
