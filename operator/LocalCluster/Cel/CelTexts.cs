using System.Globalization;
using System.Text;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>The functions on strings, and the conversions between scalars.</summary>
internal static class CelTexts
{
    private const CelKind Text = CelKind.String;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static IEnumerable<CelFunction> All() => Tests().Concat(Changes()).Concat(Conversions());

    private static IEnumerable<CelFunction> Tests()
    {
        yield return Test("startsWith", (s, part) => s.StartsWith(part, StringComparison.Ordinal));
        yield return Test("endsWith", (s, part) => s.EndsWith(part, StringComparison.Ordinal));
        yield return Test("contains", (s, part) => s.Contains(part, StringComparison.Ordinal));
        yield return Test("matches", Matches);
        yield return new("matches", false, [Text, Text], _ => CelType.Bool, a => Matches((string)a[0]!, (string)a[1]!));
    }

    private static bool Matches(string text, string pattern) => Pattern(pattern).IsMatch(text);

    private static System.Text.RegularExpressions.Regex Pattern(string pattern) =>
        GoRegex.TryCompile(pattern, out var error) ?? throw new CelEvaluationException(error!);

    private static long Index(string text, string part, long from) => from < 0 || from > text.Length
        ? throw OutOfRange(from)
        : text.IndexOf(part, (int)from, StringComparison.Ordinal);

    /// <summary>The last place that is not after another one.</summary>
    private static long LastIndex(string text, string part, long from)
    {
        if (from < 0 || from > text.Length)
        {
            throw OutOfRange(from);
        }
        for (var at = Math.Min(from, text.Length - part.Length); at >= 0; at--)
        {
            if (string.CompareOrdinal(text, (int)at, part, 0, part.Length) == 0)
            {
                return at;
            }
        }
        return -1;
    }

    private static string Replace(string text, string part, string by, long times)
    {
        if (times < 0)
        {
            return text.Replace(part, by, StringComparison.Ordinal);
        }
        var result = new StringBuilder();
        var from = 0;
        for (; times > 0 && text.IndexOf(part, from, StringComparison.Ordinal) is >= 0 and var at; times--)
        {
            result.Append(text, from, at - from).Append(by);
            from = at + part.Length;
        }
        return result.Append(text, from, text.Length - from).ToString();
    }

    private static IEnumerable<string> Split(string text, string separator, long limit)
    {
        if (limit == 0)
        {
            return [];
        }
        var most = limit < 0 ? int.MaxValue : (int)Math.Min(limit, int.MaxValue);
        if (separator.Length > 0)
        {
            return text.Split(separator, most);
        }
        var runes = text.EnumerateRunes().Select(rune => rune.ToString()).ToList();
        return runes.Count <= most ? runes : [.. runes.Take(most - 1), string.Concat(runes.Skip(most - 1))];
    }

    private static CelEvaluationException OutOfRange(long index) => new($"index out of range: {JsonNumber.Of(index).Text}");

    private static IEnumerable<CelFunction> Changes()
    {
        yield return new("_+_", false, [Text, Text], a => CelType.String(a[0].MaxSize + a[1].MaxSize), a => (string)a[0]! + (string)a[1]!);
        yield return Change("trim", s => s.Trim());
        yield return Change("lowerAscii", s => Ascii(s, char.ToLowerInvariant));
        yield return Change("upperAscii", s => Ascii(s, char.ToUpperInvariant));
        yield return new("replace", true, [Text, Text, Text], a => CelType.String(a[0].MaxSize * Math.Max(1, a[2].MaxSize)), a =>
            ((string)a[1]!).Length == 0
                ? throw new CelEvaluationException("replace of an empty string is not supported")
                : ((string)a[0]!).Replace((string)a[1]!, (string)a[2]!, StringComparison.Ordinal));
        yield return new("split", true, [Text, Text], a => CelType.ListOf(CelType.String(a[0].MaxSize), a[0].MaxSize), a =>
            Texts(((string)a[1]!).Length == 0
                ? ((string)a[0]!).EnumerateRunes().Select(r => r.ToString())
                : ((string)a[0]!).Split((string)a[1]!)));
        yield return new("join", true, [CelKind.List], Joined, a => string.Concat(((CelList)a[0]!).Items.Select(Expect)));
        yield return new("join", true, [CelKind.List, Text], Joined, a => string.Join((string)a[1]!, ((CelList)a[0]!).Items.Select(Expect)));
        yield return new("replace", true, [Text, Text, Text, CelKind.Int], a => CelType.String(a[0].MaxSize * Math.Max(1, a[2].MaxSize)), a =>
            Replace((string)a[0]!, (string)a[1]!, (string)a[2]!, (long)a[3]!));
        yield return new("split", true, [Text, Text, CelKind.Int], a => CelType.ListOf(CelType.String(a[0].MaxSize), a[0].MaxSize), a =>
            Texts(Split((string)a[0]!, (string)a[1]!, (long)a[2]!)));
        yield return new("charAt", true, [Text, CelKind.Int], _ => CelType.String(1), a => (long)a[1]! is var at && at == ((string)a[0]!).Length
            ? ""
            : Part((string)a[0]!, at, at + 1));
        yield return new("indexOf", true, [Text, Text], _ => CelType.Int, a => Index((string)a[0]!, (string)a[1]!, 0));
        yield return new("indexOf", true, [Text, Text, CelKind.Int], _ => CelType.Int, a => Index((string)a[0]!, (string)a[1]!, (long)a[2]!));
        yield return new("lastIndexOf", true, [Text, Text], _ => CelType.Int, a => LastIndex((string)a[0]!, (string)a[1]!, ((string)a[0]!).Length));
        yield return new("lastIndexOf", true, [Text, Text, CelKind.Int], _ => CelType.Int, a =>
            LastIndex((string)a[0]!, (string)a[1]!, (long)a[2]!));
        yield return new("find", true, [Text, Text], a => a[0], a => Pattern((string)a[1]!).Match((string)a[0]!).Value);
        yield return new("findAll", true, [Text, Text], a => CelType.ListOf(CelType.String(a[0].MaxSize), a[0].MaxSize), a =>
            Texts(Pattern((string)a[1]!).Matches((string)a[0]!).Select(match => match.Value)));
        yield return new("findAll", true, [Text, Text, CelKind.Int], a => CelType.ListOf(CelType.String(a[0].MaxSize), a[0].MaxSize), a =>
            Texts(Pattern((string)a[1]!).Matches((string)a[0]!).Select(match => match.Value).Take((long)a[2]! < 0 ? int.MaxValue : (int)(long)a[2]!)));
        yield return new("substring", true, [Text, CelKind.Int], a => a[0], a => Part((string)a[0]!, (long)a[1]!, ((string)a[0]!).Length));
        yield return new("substring", true, [Text, CelKind.Int, CelKind.Int], a => a[0], a => Part((string)a[0]!, (long)a[1]!, (long)a[2]!));
    }

    private static IEnumerable<CelFunction> Conversions()
    {
        yield return To("string", Text, CelType.String(), a => a);
        yield return To("string", CelKind.Int, CelType.String(20), a => JsonNumber.Of((long)a!).Text);
        yield return To("string", CelKind.Uint, CelType.String(20), a => ((ulong)a!).ToString(CultureInfo.InvariantCulture));
        yield return To("string", CelKind.Double, CelType.String(25), a => JsonNumber.Of((double)a!).Text);
        yield return To("string", CelKind.Bool, CelType.String(5), a => (bool)a! ? "true" : "false");
        yield return To("string", CelKind.Bytes, CelType.String(), a => Utf8((byte[])a!));
        yield return To("string", CelKind.Timestamp, CelType.String(30), a => CelTime.Text((DateTimeOffset)a!));
        yield return To("string", CelKind.Duration, CelType.String(30), a => CelTime.Text((TimeSpan)a!));
        yield return To("int", CelKind.Int, CelType.Int, a => a);
        yield return To("int", CelKind.Uint, CelType.Int, a => checked((long)(ulong)a!));
        yield return To("int", CelKind.Double, CelType.Int, a => (double)a! is > long.MinValue and < long.MaxValue ? (long)(double)a : throw Range());
        yield return To("int", Text, CelType.Int, a =>
            long.TryParse((string)a!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : throw Convert("int", a));
        yield return To("uint", CelKind.Uint, CelType.Uint, a => a);
        yield return To("uint", CelKind.Int, CelType.Uint, a => checked((ulong)(long)a!));
        yield return To("uint", Text, CelType.Uint, a =>
            ulong.TryParse((string)a!, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw Convert("uint", a));
        yield return To("double", CelKind.Double, CelType.Double, a => a);
        yield return To("double", CelKind.Int, CelType.Double, a => (double)(long)a!);
        yield return To("double", CelKind.Uint, CelType.Double, a => (double)(ulong)a!);
        yield return To("double", Text, CelType.Double, a =>
            double.TryParse((string)a!, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) ? n : throw Convert("double", a));
        yield return To("uint", CelKind.Double, CelType.Uint, a => (double)a! is >= 0 and < ulong.MaxValue ? (ulong)(double)a : throw Range());
        yield return To("bool", CelKind.Bool, CelType.Bool, a => a);
        yield return To("bool", Text, CelType.Bool, a => (string)a! switch
        {
            "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
            "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
            _ => throw Convert("bool", a),
        });
        yield return To("bytes", CelKind.Bytes, CelType.Bytes, a => a);
        yield return To("bytes", Text, CelType.Bytes, a => Encoding.UTF8.GetBytes((string)a!));
        yield return new("_+_", false, [CelKind.Bytes, CelKind.Bytes], a => a[0] with { MaxSize = a[0].MaxSize + a[1].MaxSize }, a =>
            ((byte[])a[0]!).Concat((byte[])a[1]!).ToArray());
        yield return To("duration", CelKind.Duration, CelType.Duration, a => a);
        yield return To("timestamp", CelKind.Timestamp, CelType.Timestamp, a => a);
        yield return To("timestamp", CelKind.Int, CelType.Timestamp, a => DateTimeOffset.FromUnixTimeSeconds((long)a!));
        yield return To("int", CelKind.Timestamp, CelType.Int, a => ((DateTimeOffset)a!).ToUnixTimeSeconds());
        yield return To("duration", Text, CelType.Duration, a => CelTime.ParseDuration((string)a!) ?? throw Convert("duration", a));
        yield return To("timestamp", Text, CelType.Timestamp, a => CelTime.ParseTimestamp((string)a!) ?? throw Convert("timestamp", a));
        yield return new("dyn", false, [CelKind.Dyn], _ => CelType.Dyn, a => a[0]);
    }

    private static CelFunction Test(string name, Func<string, string, bool> evaluate) =>
        new(name, true, [Text, Text], _ => CelType.Bool, a => evaluate((string)a[0]!, (string)a[1]!));

    private static CelFunction Change(string name, Func<string, string> evaluate) =>
        new(name, true, [Text], a => CelType.String(a[0].MaxSize), a => evaluate((string)a[0]!));

    private static CelFunction To(string name, CelKind from, CelType to, Func<object?, object?> evaluate) =>
        new(name, false, [from], _ => to, a => evaluate(a[0]));

    private static CelType Joined(IReadOnlyList<CelType> arguments) =>
        CelType.String(Math.Min(CelType.MaxRequestBytes, arguments[0].MaxSize * Math.Max(1, arguments[0].Element?.MaxSize ?? 1)));

    private static CelList Texts(IEnumerable<string> texts) => new(texts.ToArray<object?>());

    private static string Expect(object? item) => item as string ?? throw new CelEvaluationException("no such overload");

    private static string Ascii(string text, Func<char, char> change) =>
        string.Create(text.Length, (text, change), static (span, state) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsAscii(state.text[i]) ? state.change(state.text[i]) : state.text[i];
            }
        });

    private static string Part(string text, long start, long end) => start >= 0 && start <= end && end <= text.Length
        ? text[(int)start..(int)end]
        : throw new CelEvaluationException($"index out of range: {JsonNumber.Of(start < 0 || start > text.Length ? start : end).Text}");

    private static string Utf8(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new CelEvaluationException("invalid UTF-8 in bytes, cannot convert to string");
        }
    }

    private static CelEvaluationException Range() => new("integer overflow");

    private static CelEvaluationException Convert(string type, object? value) =>
        new($"type conversion error from 'string' to '{type}': {GoText.Quote((string)value!)}");
}
