using System.Text.Json;

namespace Graft.Modeling.Models;

/// <summary>A family of models.</summary>
/// <param name="Read">Reads its configuration, for one of the tasks that it has classes for.</param>
/// <param name="Classes">Hugging Face's names of body and head together; the first one is meant where a configuration names none.</param>
internal sealed record Architecture(
    string ModelType, Func<JsonFields, ModelTask, ModelPlan> Read, params (string Class, ModelTask Task)[] Classes);

/// <summary>The architectures there are, by <c>model_type</c>. A new one is a file and a row.</summary>
internal static class Architectures
{
    private const ModelTask Generate = ModelTask.Generation, Classify = ModelTask.Classification, Embed = ModelTask.Embedding;

    private static readonly Architecture[] Table =
    [
        new("bert", Bert.Read, ("BertModel", Embed), ("BertForSequenceClassification", Classify),
            ("BertForMaskedLM", Embed), ("BertForPreTraining", Embed)),
        new("gemma2", Gemma2.Read, ("Gemma2ForCausalLM", Generate), ("Gemma2ForSequenceClassification", Classify)),
        new("gemma3_text", Gemma3Text.Read, ("Gemma3ForCausalLM", Generate), ("Gemma3TextForSequenceClassification", Classify)),
        new("gpt2", Gpt2.Read, ("GPT2LMHeadModel", Generate), ("GPT2ForSequenceClassification", Classify)),
        new("llama", Llama.Read, ("LlamaForCausalLM", Generate), ("LlamaForSequenceClassification", Classify)),
        new("mistral", Mistral.Read, ("MistralForCausalLM", Generate), ("MistralForSequenceClassification", Classify)),
        new("phi3", Phi3.Read, ("Phi3ForCausalLM", Generate), ("Phi3ForSequenceClassification", Classify)),
        new("qwen2", Qwen2.Read, ("Qwen2ForCausalLM", Generate), ("Qwen2ForSequenceClassification", Classify)),
        new("qwen3", Qwen3.Read, ("Qwen3ForCausalLM", Generate), ("Qwen3ForSequenceClassification", Classify)),
        new("roberta", Roberta.Read, ("RobertaModel", Embed), ("RobertaForSequenceClassification", Classify),
            ("RobertaForMaskedLM", Embed)),
    ];

    public static IReadOnlyList<string> ModelTypes { get; } = [.. Table.Select(a => a.ModelType)];

    /// <param name="path">The file that messages name.</param>
    /// <param name="config">As <c>config.json</c> has it.</param>
    /// <param name="task">What the model is wanted for; null: whatever it was made for.</param>
    /// <param name="labels">As <see cref="LoadOptions.Labels"/>.</param>
    /// <exception cref="ModelFormatException">With every problem at once.</exception>
    public static ModelPlan Read(string path, JsonElement config, ModelTask? task, IReadOnlyList<string>? labels = null)
    {
        var fields = new JsonFields(path, config);
        var type = fields.Text("model_type");
        if (Table.SingleOrDefault(a => a.ModelType == type) is not { } architecture)
            throw new ModelFormatException(path, $"model_type is '{type}'; supported: {string.Join(", ", ModelTypes)}");
        var (name, made) = FindClass(architecture, fields);
        var own = made == ModelTask.Classification ? ConfigReading.Labels(fields) : [];
        if (labels is not null) (name, made) = architecture.Classes.First(c => c.Task == ModelTask.Classification);
        if (task is { } wanted && wanted != made)
            fields.Wrong($"it is a {name}, which is made for {Noun(made)}, not for {Noun(wanted)}{Instead(architecture, wanted)}");
        ConfigReading.RefuseCommon(fields, made);
        var plan = architecture.Read(fields, made);
        var stretch = plan.Ropes.Select(r => r.Stretch).DefaultIfEmpty(1).Max();
        plan = plan with
        {
            NewHead = labels is not null && !ConfigReading.Fits(own, labels),
            Config = plan.Config with
            {
                Architecture = name,
                Task = made,
                MaxPositions = (int)Math.Min(int.MaxValue, plan.Config.MaxPositions * stretch),
                Labels = labels is null || (ConfigReading.AreUnnamed(labels) && own.Count == labels.Count) ? own : labels,
            },
        };
        ConfigReading.Check(plan.Config, fields);
        fields.RefuseUnread(HarmlessFields.Contains);
        fields.ThrowIfWrong();
        return plan;
    }

    private static (string Class, ModelTask Task) FindClass(Architecture architecture, JsonFields fields)
    {
        if (fields.Texts("architectures") is not [var name, ..]) return architecture.Classes[0];
        if (architecture.Classes.FirstOrDefault(c => c.Class == name) is { Class: not null } found) return found;
        var known = string.Join(" and ", architecture.Classes.Select(c => c.Class));
        fields.Wrong($"architectures names '{name}'; for {architecture.ModelType} there are {known}");
        return architecture.Classes[0];
    }

    private static string Instead(Architecture architecture, ModelTask task) =>
        architecture.Classes.FirstOrDefault(c => c.Task == task).Class is { } other
            ? $"; a {other} would be" : $"; {architecture.ModelType} has no head for that";

    private static string Noun(ModelTask task) => task switch
    {
        ModelTask.Generation => "generating text",
        ModelTask.Classification => "classifying texts",
        _ => "embedding texts",
    };
}
