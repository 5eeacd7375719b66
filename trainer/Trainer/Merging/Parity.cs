using System.Globalization;
using Graft.Contract;
using Graft.Trainer.Runs;
using static TorchSharp.torch;

namespace Graft.Trainer.Merging;

/// <summary>How far the answers of two models, or of a model with and without an adapter beside it, are from each other.</summary>
/// <param name="Largest">Largest difference of a logit.</param>
/// <param name="Spread">Standard deviation of the first one's logits.</param>
/// <param name="SameBest">Positions at which both have the same most likely token, or texts with the same label.</param>
/// <param name="Positions">How many there are.</param>
internal sealed record Parity(double Largest, double Spread, long SameBest, long Positions)
{
    /// <summary>
    /// What rounding to a type may move logits by, as a share of their spread: some times what it does in models that were tried.
    /// </summary>
    private static readonly Dictionary<string, double> Shares = new(StringComparer.Ordinal)
    {
        ["F32"] = 0.001, ["F16"] = 0.02, ["BF16"] = 0.1, ["Q8_0"] = 0.5, ["Q4_0"] = 5,
    };

    /// <summary>The types with their shares, for people.</summary>
    public static string Defaults =>
        string.Join(", ", Shares.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Key} {s.Value}")));

    public static Parity Between(IReadOnlyList<Tensor> first, IReadOnlyList<Tensor> second)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (cat([.. first]), cat([.. second]));                                   // (positions, vocabulary)
        return new Parity(
            a.sub(b).abs().max().item<float>(), a.std().item<float>(), a.argmax(1).eq(b.argmax(1)).sum().item<long>(), a.size(0));
    }

    /// <summary>Prints it, and fails where it is above a bound.</summary>
    /// <param name="bound">Of the largest difference; null: the share of the spread that the coarser one of the two types may move.</param>
    /// <param name="type">Type of the weights that were written.</param>
    /// <param name="computed">Type of the arithmetic.</param>
    /// <exception cref="RunFailedException">It is above the bound.</exception>
    public void Require(double? bound, string type, Precision computed)
    {
        var most = bound ?? Spread * Math.Max(Shares[type], Shares[computed.ToString()]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"largest logit difference {Largest:g3}, {Largest / Spread:g3} of the logits' spread of {Spread:g3}; "
            + $"the same best token at {SameBest} of {Positions}"));
        // What is no number is above every bound.
        if (!(Largest <= most))
            throw RunFailedException.Model(string.Create(CultureInfo.InvariantCulture,
                $"what was made answers otherwise: a logit differs by {Largest:g3}, and {most:g3} is the most allowed (--max-difference); "
                + $"nothing was written"));
    }
}
