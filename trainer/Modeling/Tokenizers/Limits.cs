using Graft.Modeling.Tokenizers.PostProcessors;

namespace Graft.Modeling.Tokenizers;

internal enum TruncationStrategy { LongestFirst, OnlyFirst, OnlySecond }

/// <summary>How many tokens a text, or a pair, may have; from which end the others go.</summary>
internal sealed record Truncation(int MaxLength, TruncationStrategy Strategy, bool FromLeft)
{
    /// <param name="added">Tokens that will be put in.</param>
    /// <exception cref="ArgumentException">The text that alone may be cut is too short for it.</exception>
    public List<EncodedPart> Apply(List<EncodedPart> parts, int added)
    {
        var most = Math.Max(0, MaxLength - added);
        var lengths = parts.Select(p => p.Ids.Count).ToArray();
        var over = lengths.Sum() - most;
        if (over <= 0) return parts;
        if (most == 0) return [.. parts.Select(p => Cut(p, 0))];
        if (Strategy != TruncationStrategy.LongestFirst)
        {
            var which = Strategy == TruncationStrategy.OnlyFirst ? 0 : 1;
            if (which >= lengths.Length || lengths[which] <= over)
                throw new ArgumentException($"the text that may be cut has too few tokens to keep within {MaxLength}");
            lengths[which] -= over;
        }
        else if (lengths.Length == 1)
        {
            lengths[0] = most;
        }
        else
        {
            var less = Math.Min(lengths[0], lengths[1]);
            var more = less > most ? less : Math.Max(less, most - less);
            if (less + more > most) (less, more) = (most / 2, most / 2 + most % 2);
            lengths = lengths[0] > lengths[1] ? [more, less] : [less, more];
        }
        return [.. parts.Select((p, i) => Cut(p, lengths[i]))];
    }

    private EncodedPart Cut(EncodedPart part, int length)
    {
        if (length >= part.Ids.Count) return part;
        var from = FromLeft ? part.Ids.Count - length : 0;
        List<T> Of<T>(List<T> all) => all.Count == 0 ? all : all.GetRange(from, length);
        return part with { Ids = Of(part.Ids), Texts = Of(part.Texts), Offsets = Of(part.Offsets) };
    }
}

/// <summary>Tokens that fill up to a length.</summary>
/// <param name="Length">Null: of the longest in a batch, which a single text is by itself.</param>
internal sealed record Padding(int? Length, int? MultipleOf, bool Left, int Id, int TypeId, string Token)
{
    public TextEncoding Apply(TextEncoding encoding)
    {
        var length = Math.Max(Length ?? 0, encoding.Ids.Count);
        if (MultipleOf is > 0 and var multiple) length = (length + multiple - 1) / multiple * multiple;
        var more = length - encoding.Ids.Count;
        if (more <= 0) return encoding;
        IReadOnlyList<T> With<T>(IReadOnlyList<T> all, T pad) =>
            Left ? [.. Enumerable.Repeat(pad, more), .. all] : [.. all, .. Enumerable.Repeat(pad, more)];
        return new TextEncoding(With(encoding.Ids, Id), With(encoding.Tokens, Token), With(encoding.Offsets, (0, 0)),
            With(encoding.TypeIds, TypeId),
            With(encoding.SpecialTokensMask, 1), With(encoding.AttentionMask, 0));
    }
}
