namespace Graft.Modeling.Tests.Models;

/// <summary>Writes on with the most probable token, through the generator that programs use; for models without a tokenizer.</summary>
internal static class Greedy
{
    public static IReadOnlyList<int> Generate(BaseModel model, IReadOnlyList<int> prompt, int tokens, int promptTokens = int.MaxValue)
    {
        using var sequence = new GenerationSequence(model, prompt, new SamplingOptions(MaxTokens: tokens, IgnoreEndOfGeneration: true));
        var generator = new TextGenerator(model);
        while (sequence.Finish is null) generator.Step([sequence], promptTokens);
        return sequence.GeneratedIds;
    }
}
