using System.Text;
using System.Text.RegularExpressions;

namespace Graft.Trainer.Tokenizers;

/// <summary>
/// Learns a byte-level byte pair encoding (Sennrich et al. 2016, arXiv:1508.07909; bytes as GPT-2 has them): the pair of
/// tokens that occurs most often becomes a token, again and again. Ties go to the pair that is first in the order of its bytes,
/// so the same texts always give the same vocabulary.
/// </summary>
internal sealed partial class BytePairTrainer
{
    private readonly List<string> vocabulary = [.. ByteAlphabet.Order.Select(c => c.ToString())];
    private readonly List<(string Left, string Right)> merges = [];

    /// <summary>Tokens in the order of their ids: the 256 bytes, then what was merged.</summary>
    public IReadOnlyList<string> Vocabulary => vocabulary;
    public IReadOnlyList<(string Left, string Right)> Merges => merges;

    /// <param name="size">Tokens wanted, the 256 single bytes included; fewer when the texts have no more pairs.</param>
    public static BytePairTrainer Train(IEnumerable<string> texts, int size)
    {
        var trainer = new BytePairTrainer();
        var words = Words(texts);
        while (trainer.vocabulary.Count < size && MostFrequent(words) is { } pair)
        {
            trainer.merges.Add(pair);
            trainer.vocabulary.Add(pair.Left + pair.Right);
            foreach (var word in words) Merge(word.Parts, pair);
        }
        return trainer;
    }

    /// <summary>How GPT-2 divides a text before anything is merged.</summary>
    [GeneratedRegex(@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Pieces { get; }

    private static List<(List<string> Parts, int Count)> Words(IEnumerable<string> texts)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            foreach (var piece in Pieces.EnumerateMatches(text))
            {
                var word = ByteAlphabet.Write(Encoding.UTF8.GetBytes(text.Substring(piece.Index, piece.Length)));
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }
        return [.. counts.Select(c => (c.Key.Select(letter => letter.ToString()).ToList(), c.Value))];
    }

    private static (string Left, string Right)? MostFrequent(List<(List<string> Parts, int Count)> words)
    {
        var counts = new Dictionary<(string Left, string Right), int>();
        foreach (var (parts, count) in words)
        {
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                var pair = (parts[i], parts[i + 1]);
                counts[pair] = counts.GetValueOrDefault(pair) + count;
            }
        }
        // A pair seen once is a word learnt by heart.
        var frequent = counts.Where(c => c.Value > 1);
        return frequent.Any()
            ? frequent.OrderByDescending(c => c.Value).ThenBy(c => c.Key.Left, StringComparer.Ordinal)
                .ThenBy(c => c.Key.Right, StringComparer.Ordinal).First().Key
            : null;
    }

    private static void Merge(List<string> parts, (string Left, string Right) pair)
    {
        for (var i = 0; i + 1 < parts.Count; i++)
        {
            if (parts[i] != pair.Left || parts[i + 1] != pair.Right) continue;
            parts[i] += parts[i + 1];
            parts.RemoveAt(i + 1);
        }
    }
}
