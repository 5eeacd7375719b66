namespace Graft.Modeling.Models;

/// <summary>
/// RoBERTa (Liu et al. 2019, arXiv:1907.11692): BERT with positions that begin behind the id of padding, and a head of two layers.
/// </summary>
internal static class Roberta
{
    private static readonly ModelConfig Defaults = new()
    {
        ModelType = "roberta", VocabularySize = 50_265, HiddenSize = 768, IntermediateSize = 3072,
        Layers = 12, Heads = 12, KvHeads = 0, HeadSize = 0,
        MaxPositions = 512, NormEpsilon = 1e-12, TiedEmbeddings = true, PadId = 1, BosId = 0, EosIds = [2],
    };

    public static ModelPlan Read(JsonFields f, ModelTask task)
    {
        var plan = Bert.Read(f, task, Defaults, "roberta.", afterPad: true);
        // Some classifiers were saved with the pooler that they do not use.
        return plan with
        {
            Classifier = ClassifierHeads.FirstToken,
            NameOf = stored =>
                plan.NameOf(stored) is { } name && !name.StartsWith("roberta.pooler.", StringComparison.Ordinal) ? name : null,
        };
    }
}
