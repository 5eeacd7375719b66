using System.Text.Json.Serialization;
using Graft.Runtime;

namespace Graft.Operator.Api;

[ValidationRule("has(self.generation) != has(self.classification)", message: "exactly one of: generation, classification")]
internal sealed record ObjectiveSpec
{
    public static ObjectiveSpec Default => new() { Generation = new() };

    [Description("Write text: prompts with completions, chats, or plain text are learnt token by token.")]
    public GenerationSpec? Generation { get; init; }

    [Description("Give a text one of several labels: a new linear head reads the last token's hidden state."
        + " It trains whatever the method is.")]
    public ClassificationSpec? Classification { get; init; }
}

internal sealed record GenerationSpec
{
    [Description("Which tokens carry loss: Completion (the answers only, also when absent) or All.")]
    public GenerationTokens? LearnFrom { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<GenerationTokens>))]
internal enum GenerationTokens { Completion, All }

internal sealed record ClassificationSpec
{
    [Items(2, 512), Length(1, 128)]
    [Description("Exactly these labels, none of them twice, in the order of the head's outputs."
        + " Absent: those found in the training rows, sorted.")]
    public IList<string>? Labels { get; init; }
}
