using Graft.Contract;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

/// <summary>The labels of a classifier, by its rows and by what the job names.</summary>
internal static class LabelSet
{
    private const int Shown = 12;

    /// <returns>In the order of the head's rows.</returns>
    /// <exception cref="RunFailedException">
    /// Class <see cref="FailureClass.DataError"/>: a row has none, or one that is none of them, or there is only one.
    /// </exception>
    public static IReadOnlyList<string> Of(IReadOnlyList<Sample> train, IReadOnlyList<Sample> validation, ClassificationObjective objective)
    {
        foreach (var row in train.Concat(validation).Cast<LabeledSample>())
            if (row.Label.Length == 0) throw Refused(row.Origin, "the label is empty; every row needs one");
        if (objective.Labels is { } named)
        {
            Check(train.Concat(validation), named, "is none of objective.classification.labels");
            return named;
        }
        var found = train.Cast<LabeledSample>().Select(r => r.Label).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (found.Count < 2)
            throw RunFailedException.Dataset($"every training row has the label \"{found[0]}\" ({train[0].Origin.File}); "
                + "telling texts apart takes rows of at least two labels, or objective.classification.labels that names them");
        Check(validation, found, "is that of no training row");
        return found;
    }

    /// <exception cref="RunFailedException">Class <see cref="FailureClass.DataError"/>, with the line of the first row that is wrong.</exception>
    public static void Check(IEnumerable<Sample> rows, IReadOnlyList<string> labels, string wrong)
    {
        var known = labels.ToHashSet(StringComparer.Ordinal);
        foreach (var row in rows.Cast<LabeledSample>())
        {
            if (known.Contains(row.Label)) continue;
            var more = labels.Count > Shown ? $" and {labels.Count - Shown} more" : "";
            var shown = string.Join(", ", labels.Take(Shown).Select(l => $"\"{l}\""));
            throw Refused(row.Origin, $"the label \"{row.Label}\" {wrong}: {shown}{more}");
        }
    }

    private static RunFailedException Refused(Origin origin, string why) =>
        RunFailedException.Dataset($"{origin.File} line {origin.Line}: {why}");
}
