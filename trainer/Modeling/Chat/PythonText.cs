using System.Buffers;
using System.Text;

namespace Graft.Modeling.Chat;

/// <summary>Texts as Python handles them: as code points, with its own idea of blanks and line ends.</summary>
internal static class PythonText
{
    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029");

    /// <summary>One text for each code point.</summary>
    public static List<string> Characters(string text)
    {
        var characters = new List<string>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1])) characters.Add(text.Substring(i++, 2));
            else characters.Add(text[i].ToString());
        }
        return characters;
    }

    /// <summary>Code points among the first <paramref name="units"/> UTF-16 units.</summary>
    public static int Length(string text, int units) => Length(text.AsSpan(0, units));

    public static int Length(ReadOnlySpan<char> text)
    {
        var length = text.Length;
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (!char.IsSurrogatePair(text[i], text[i + 1])) continue;
            length--;
            i++;
        }
        return length;
    }

    /// <summary>Of code point <paramref name="place"/>, the index in UTF-16 units; the text's end when it is shorter.</summary>
    public static int UnitOf(string text, int place)
    {
        var i = 0;
        for (; place > 0 && i < text.Length; place--) i += i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? 2 : 1;
        return i;
    }

    /// <summary>By code points; UTF-16 would put those beyond U+FFFF before U+E000.</summary>
    public static int Compare(string a, string b)
    {
        var length = Math.Min(a.Length, b.Length);
        var i = a.AsSpan(0, length).CommonPrefixLength(b.AsSpan(0, length));
        if (i == length) return a.Length.CompareTo(b.Length);
        return char.IsSurrogate(a[i]) == char.IsSurrogate(b[i]) ? a[i].CompareTo(b[i]) : char.IsSurrogate(a[i]) ? 1 : -1;
    }

    public static bool IsBlank(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    /// <param name="characters">What goes; null: blanks.</param>
    public static string Strip(string text, string? characters, bool left = true, bool right = true)
    {
        int start = 0, end = text.Length;
        if (characters is null)
        {
            while (left && start < end && IsBlank(text[start])) start++;
            while (right && end > start && IsBlank(text[end - 1])) end--;
            return text[start..end];
        }
        var goes = Characters(characters).ToHashSet(StringComparer.Ordinal);
        string At(int i, bool back)
        {
            var pair = back ? i > start && char.IsSurrogatePair(text[i - 1], text[i]) : i + 1 < end
                && char.IsSurrogatePair(text[i], text[i + 1]);
            return pair ? text.Substring(back ? i - 1 : i, 2) : text[i].ToString();
        }
        while (left && start < end && At(start, back: false) is var c && goes.Contains(c)) start += c.Length;
        while (right && end > start && At(end - 1, back: true) is var c && goes.Contains(c)) end -= c.Length;
        return text[start..end];
    }

    /// <summary><c>str.splitlines</c>.</summary>
    public static List<object?> Lines(string text, bool keepEnds = false)
    {
        var lines = new List<object?>();
        for (var start = 0; start < text.Length;)
        {
            var end = text.AsSpan(start).IndexOfAny(LineEnds) is var found and >= 0 ? start + found : text.Length;
            var next = end == text.Length ? end : text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? end + 2 : end + 1;
            lines.Add(text[start..(keepEnds ? next : end)]);
            start = next;
        }
        return lines;
    }

    /// <summary><c>str.split</c> and <c>str.rsplit</c>.</summary>
    /// <param name="separator">Null: runs of blanks.</param>
    /// <param name="most">Cuts at most; negative: all.</param>
    public static List<object?> Split(string text, string? separator, int most, bool fromRight)
    {
        if (separator is { Length: 0 }) throw new ChatTemplateException("split needs a separator that is not empty");
        if (most < 0) most = int.MaxValue;
        var parts = new List<object?>();
        if (separator is null) return SplitAtBlanks(text, most, fromRight);
        if (fromRight)
        {
            var end = text.Length;
            for (int at; parts.Count < most
                && (at = text.AsSpan(0, end).LastIndexOf(separator)) >= 0; end = at) parts.Add(text[(at + separator.Length)..end]);
            parts.Add(text[..end]);
            parts.Reverse();
            return parts;
        }
        var start = 0;
        for (int at; parts.Count < most && (at = text.IndexOf(separator, start, StringComparison.Ordinal)) >= 0; start = at
            + separator.Length)
            parts.Add(text[start..at]);
        parts.Add(text[start..]);
        return parts;
    }

    public static string Replace(string text, string old, string with, int most)
    {
        if (most < 0) most = int.MaxValue;
        var made = new StringBuilder();
        var at = 0;
        if (old.Length == 0)
        {
            foreach (var character in Characters(text))
            {
                if (most-- > 0) made.Append(with);
                made.Append(character);
            }
            return most > 0 ? made.Append(with).ToString() : made.ToString();
        }
        for (int found; most-- > 0 && (found = text.IndexOf(old, at, StringComparison.Ordinal)) >= 0; at = found + old.Length)
            made.Append(text, at, found - at).Append(with);
        return made.Append(text, at, text.Length - at).ToString();
    }

    /// <summary><c>str.title</c>: an upper-case letter after anything that is no letter.</summary>
    public static string Title(string text)
    {
        var letters = text.ToLowerInvariant().ToCharArray();
        for (var i = 0; i < letters.Length; i++)
            if (i == 0 || !char.IsLetter(letters[i - 1])) letters[i] = char.ToUpperInvariant(letters[i]);
        return new string(letters);
    }

    public static string Capitalize(string text) =>
        text[..UnitOf(text, 1)].ToUpperInvariant() + text[UnitOf(text, 1)..].ToLowerInvariant();

    private static List<object?> SplitAtBlanks(string text, int most, bool fromRight)
    {
        var parts = new List<object?>();
        if (fromRight)
        {
            for (var end = text.Length; ;)
            {
                while (end > 0 && IsBlank(text[end - 1])) end--;
                if (end == 0) break;
                var start = parts.Count < most ? end : 0;
                while (start > 0 && !IsBlank(text[start - 1])) start--;
                parts.Add(text[start..end]);
                end = start;
            }
            parts.Reverse();
            return parts;
        }
        for (var start = 0; ;)
        {
            while (start < text.Length && IsBlank(text[start])) start++;
            if (start == text.Length) break;
            var end = parts.Count < most ? start : text.Length;
            while (end < text.Length && !IsBlank(text[end])) end++;
            parts.Add(text[start..end]);
            start = end;
        }
        return parts;
    }
}
