using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Graft.Trainer.Evaluation;

/// <summary>Rows to judge a model by, as tokens.</summary>
/// <param name="Examples">For the loss.</param>
/// <param name="Questions">For greedy answers; rows of plain text have none.</param>
internal sealed record EvaluationRows(IReadOnlyList<Example> Examples, IReadOnlyList<Question> Questions)
{
    /// <summary>The first <paramref name="maxRows"/> rows.</summary>
    public static EvaluationRows Of(IReadOnlyList<Sample> rows, int maxRows, IRowEncoder encoder)
    {
        var taken = rows.Take(maxRows).ToList();
        return new EvaluationRows(EncodedRows.Encode(taken, encoder, "validation").Examples,
            [.. taken.Select(encoder.Ask).OfType<Question>()]);
    }
}

/// <summary>Judges what a model answers with, with or without an adapter.</summary>
internal sealed class Evaluator(BaseModel model, int microBatchTokens)
{
    private const int QuestionsAtOnce = 16;

    // Room for an answer that is right but for white space around it, or is tokenised otherwise than the reference.
    private const int SpareTokens = 8;

    /// <summary>Values by the metrics' names in camelCase.</summary>
    public SortedDictionary<string, double> Measure(
        IReadOnlyList<Metric> metrics, EvaluationRows rows, LoadedAdapter? adapter, CancellationToken cancellation)
    {
        var values = new SortedDictionary<string, double>(StringComparer.Ordinal);
        if (metrics.Contains(Metric.Loss) && rows.Examples.Count > 0) values["loss"] = Loss(rows.Examples, adapter, cancellation);
        if (metrics.Contains(Metric.ExactMatch) && rows.Questions.Count > 0)
            values["exactMatch"] = ExactMatch(rows.Questions, adapter, cancellation);
        if (metrics.Contains(Metric.Accuracy) && rows.Examples.OfType<LabeledExample>().ToList() is { Count: > 0 } labeled)
            values["accuracy"] = Accuracy(labeled, adapter, cancellation);
        return values;
    }

    /// <summary>Mean over all supervised tokens, or all labels, in nats.</summary>
    public double Loss(IReadOnlyList<Example> examples, LoadedAdapter? adapter, CancellationToken cancellation)
    {
        using var noGrad = no_grad();
        var lead = model.Transformer.LeadOf(adapter);
        double total = 0;
        foreach (var micro in MicroBatches.Cut(examples, int.MaxValue, microBatchTokens, lead.Tokens))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var part = IBatch.Of(micro, model, adapter);
            total += part.LossSum(model).ToDouble();
        }
        return total / examples.Sum(e => (long)e.SupervisedBehind(lead));
    }

    /// <summary>Share of texts whose likeliest label is the right one.</summary>
    public double Accuracy(IReadOnlyList<LabeledExample> examples, LoadedAdapter? adapter, CancellationToken cancellation)
    {
        using var noGrad = no_grad();
        var (right, lead) = (0, model.Transformer.LeadOf(adapter));
        foreach (var micro in MicroBatches.Cut(examples, int.MaxValue, microBatchTokens, lead.Tokens))
        {
            cancellation.ThrowIfCancellationRequested();
            using var part = new LabelBatch([.. micro.Cast<LabeledExample>()], model, adapter);
            right += part.Right(model);
        }
        return right / (double)examples.Count;
    }

    /// <summary>Share of greedy answers that equal the right one after trimming white space.</summary>
    public double ExactMatch(IReadOnlyList<Question> questions, LoadedAdapter? adapter, CancellationToken cancellation) =>
        Answers(questions, adapter, cancellation).Zip(questions)
            .Count(a => a.First.Trim() == a.Second.Answer.Trim()) / (double)questions.Count;

    /// <summary>
    /// Greedy answers in the order of the questions. An answer that runs on past the right one's length is cut: it is wrong
    /// already, and a base model may never end. Questions of like answers go together, so that each group stops early.
    /// </summary>
    private string[] Answers(IReadOnlyList<Question> questions, LoadedAdapter? adapter, CancellationToken cancellation)
    {
        var generator = new TextGenerator(model);
        var answers = new string[questions.Count];
        Array.Fill(answers, "");
        var room = model.MaxLength - model.Transformer.LeadOf(adapter).Count;
        // A question that the model is too short for stays unanswered, which is wrong.
        var askable = Enumerable.Range(0, questions.Count)
            .Where(i => questions[i].PromptIds.Length + questions[i].Tokens + SpareTokens <= room);
        foreach (var group in askable.OrderBy(i => questions[i].Tokens).Chunk(QuestionsAtOnce))
        {
            cancellation.ThrowIfCancellationRequested();
            var limit = group.Max(i => questions[i].Tokens) + SpareTokens;
            var results = generator.GenerateBatch([.. group.Select(i => questions[i].PromptIds)], new SamplingOptions(limit),
                adapter, QuestionsAtOnce, cancellation);
            foreach (var (i, result) in group.Zip(results)) answers[i] = result.Text;
        }
        return answers;
    }
}
