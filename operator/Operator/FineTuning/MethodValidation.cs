using Graft.Contract;
using Graft.Operator.Api;
using static Graft.Operator.FineTuning.FineTuneJobValidation;

namespace Graft.Operator.FineTuning;

/// <summary>What is wrong with a method and what the schema cannot say, or an older one did not.</summary>
internal static class MethodValidation
{
    private const string Field = "spec.method";

    public static IEnumerable<FieldError> Errors(MethodSpec method)
    {
        if (Union(Field, [.. method.Members]) is { } several) yield return several;
        if (method.Lora is { } lora)
        {
            foreach (var error in Lora(lora)) yield return error;
        }
        if (method.PromptTuning?.Initialization is { } initialization && Union(Field + ".promptTuning.initialization",
                ("random", initialization.Random), ("sampledVocabulary", initialization.SampledVocabulary),
                ("text", initialization.Text)) is { } initial)
            yield return initial;
        if (method.PromptTuning?.Initialization?.Text is { } text && string.IsNullOrWhiteSpace(text))
            yield return new(Field + ".promptTuning.initialization.text", "write the text that the vectors begin as");
        if (method.PTuning?.Encoder is { } encoder
            && Union(Field + ".pTuning.encoder", ("mlp", encoder.Mlp), ("lstm", encoder.Lstm)) is { } encoders)
            yield return encoders;
        if (method.Ia3?.Targets is { } targets)
        {
            foreach (var error in Twice(targets.Modules, Field + ".ia3.targets.modules")) yield return error;
            foreach (var error in Twice(targets.FeedForward ?? [], Field + ".ia3.targets.feedForward")) yield return error;
        }
    }

    private static IEnumerable<FieldError> Lora(LoraSpec lora)
    {
        const string field = Field + ".lora";
        if (lora.Targets is { } targets
            && Union(field + ".targets", ("allLinear", targets.AllLinear), ("modules", targets.Modules)) is { } several)
            yield return several;
        foreach (var error in Twice(lora.Targets?.Modules ?? [], field + ".targets.modules")) yield return error;
        foreach (var error in Twice(lora.ModulesToSave ?? [], field + ".modulesToSave")) yield return error;
        foreach (var error in Twice(lora.Layers ?? [], field + ".layers")) yield return error;
        foreach (var error in Patterns([.. (lora.RankPattern ?? []).Select(p => p.Modules)], field + ".rankPattern")) yield return error;
        foreach (var error in Patterns([.. (lora.AlphaPattern ?? []).Select(p => p.Modules)], field + ".alphaPattern")) yield return error;
        var both = (lora.ModulesToSave ?? []).Intersect(lora.Targets?.Modules ?? []).ToList();
        if (both.Count > 0)
            yield return new(field + ".modulesToSave",
                $"{string.Join(", ", both)} stands in targets.modules too; a module trains whole or is updated");
    }

    private static IEnumerable<FieldError> Patterns(IReadOnlyList<string> patterns, string field)
    {
        for (var i = 0; i < patterns.Count; i++)
        {
            if (ModulePatterns.Problem(patterns[i]) is { } problem)
                yield return new($"{field}[{i}].modules", $"'{patterns[i]}' {problem}");
        }
        foreach (var error in Twice(patterns, field)) yield return error;
    }

    private static FieldError? Union(string field, params (string Name, object? Value)[] members) =>
        members.Count(m => m.Value is not null) == 1
            ? null
            : new(field, $"set exactly one of: {string.Join(", ", members.Select(m => m.Name))}");
}
