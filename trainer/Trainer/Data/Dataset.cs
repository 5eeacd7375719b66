using System.Globalization;
using Graft.Contract;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Data;

/// <summary>
/// Rows of a job, read and divided, not yet tokens: everything that can be wrong with the files shows before a model is loaded.
/// </summary>
/// <param name="Labels">Of rows that are classified, in the order of the head's; null where text is generated.</param>
internal sealed record Dataset(
    IReadOnlyList<Sample> Train, IReadOnlyList<Sample> Validation, IReadOnlyList<string> Sources, string Digest,
    IReadOnlyList<string>? Labels = null)
{
    public static Dataset Read(DataInput data, Objective objective, long seed)
    {
        var labeled = objective.Classification is not null;
        var train = data.Train.SelectMany(s => SampleReader.Read(s, labeled)).ToList();
        var validation = (data.Validation?.Sources ?? []).SelectMany(s => SampleReader.Read(s, labeled)).ToList();
        // Before any row is held out: a label that only such a row has is known as well.
        var labels = objective.Classification is { } classification ? LabelSet.Of(train, validation, classification) : null;
        var sources = data.Train.Concat(data.Validation?.Sources ?? []).ToList();
        var digest = Digests.OfParts(sources.Select(s => Digests.OfFile(ContractPaths.Resolve(s.Path))));
        if (data.Validation?.Split is { } split) (train, validation) = Split(train, split.Fraction, seed);
        return new Dataset(train, validation, [.. sources.Select(s => s.Source)], digest, labels);
    }

    /// <summary>Holds rows out at random, but keeps the order of the file on both sides. At least one row stays on each.</summary>
    private static (List<Sample> Train, List<Sample> Validation) Split(List<Sample> rows, double fraction, long seed)
    {
        if (rows.Count < 2)
            throw RunFailedException.Dataset($"data.validation.split needs at least two rows to divide; the data has {rows.Count}");
        var held = Math.Clamp((int)Math.Round(rows.Count * fraction), 1, rows.Count - 1);
        var order = new int[rows.Count];
        Shuffling.Fill(order, seed, epoch: -1);
        var chosen = order.Take(held).ToHashSet();
        return (rows.Where((_, i) => !chosen.Contains(i)).ToList(), rows.Where((_, i) => chosen.Contains(i)).ToList());
    }
}

/// <summary>Rows as tokens.</summary>
/// <param name="Cut">Examples that were longer than the longest length.</param>
/// <param name="Skipped">Examples without a supervised token: an empty answer, or one that was cut off whole.</param>
internal sealed record EncodedRows(IReadOnlyList<Example> Examples, int Cut, int Skipped)
{
    public long Tokens { get; } = Examples.Sum(e => (long)e.Length);
    public long SupervisedTokens { get; } = Examples.Sum(e => (long)e.SupervisedTokens);

    /// <exception cref="RunFailedException">Class <see cref="FailureClass.DataError"/> when nothing is left to learn.</exception>
    public static EncodedRows Encode(IReadOnlyList<Sample> rows, IRowEncoder encoder, string what)
    {
        var before = encoder.Cut;
        var all = rows.SelectMany(encoder.Encode).ToList();
        var examples = all.Where(e => e.SupervisedTokens > 0).ToList();
        var cut = encoder.Cut - before;
        if (examples.Count > 0 || rows.Count == 0) return new EncodedRows(examples, cut, all.Count - examples.Count);
        var why = cut > 0
            ? string.Create(CultureInfo.InvariantCulture,
                $"{cut} of {rows.Count} rows were cut before their answer begins; raise data.maxLength")
            : "no row has an answer; a completion or an assistant's message must be there to learn from";
        throw RunFailedException.Dataset($"no supervised token in the {what} rows ({rows[0].Origin.File}): {why}");
    }
}
