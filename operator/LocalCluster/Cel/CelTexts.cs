using System.Globalization;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>The functions on strings, and the conversions between scalars.</summary>
internal static class CelTexts
{
    private const CelKind Text = CelKind.String;

    public static IEnumerable<CelFunction> All() => Tests().Concat(Changes()).Concat(Conversions());

    private static IEnumerable<CelFunction> Tests()
    {
        yield return Test("startsWith", (s, part) => s.StartsWith(part, StringComparison.Ordinal));
        yield return Test("endsWith", (s, part) => s.EndsWith(part, StringComparison.Ordinal));
        yield return Test("contains", (s, part) => s.Contains(part, StringComparison.Ordinal));
        yield return Test("matches", Matches);
        yield return new("matches", false, [Text, Text], _ => CelType.Bool, a => Matches((string)a[0]!, (string)a[1]!));
    }

    private static bool Matches(string text, string pattern) =>
        (GoRegex.TryCompile(pattern, out var error) ?? throw new CelEvaluationException(error!)).IsMatch(text);

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
        yield return new("indexOf", true, [Text, Text], _ => CelType.Int, a =>
            (long)((string)a[0]!).IndexOf((string)a[1]!, StringComparison.Ordinal));
        yield return new("lastIndexOf", true, [Text, Text], _ => CelType.Int, a =>
            (long)((string)a[0]!).LastIndexOf((string)a[1]!, StringComparison.Ordinal));
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
        yield return To("string", CelKind.Bytes, CelType.String(), a => System.Text.Encoding.UTF8.GetString((byte[])a!));
        yield return To("string", CelKind.Timestamp, CelType.String(30), a => CelTime.Text((DateTimeOffset)a!));
        yield return To("string", CelKind.Duration, CelType.String(30), a => CelTime.Text((TimeSpan)a!));
        yield return To("int", CelKind.Int, CelType.Int, a => a);
        yield return To("int", CelKind.Uint, CelType.Int, a => checked((long)(ulong)a!));
        yield return To("int", CelKind.Double, CelType.Int, a => (double)a! is > -9.3e18 and < 9.2e18 ? (long)(double)a : throw Range());
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
        yield return To("duration", Text, CelType.Duration, a => CelTime.ParseDuration((string)a!) ?? throw Convert("duration", a));
        yield return To("timestamp", Text, CelType.Timestamp, a => CelTime.ParseTimestamp((string)a!) ?? throw Convert("timestamp", a));
        yield return new("dyn", false, [CelKind.Dyn], _ => CelType.Dyn, a => a[0]);
        yield return new("getHours", true, [CelKind.Duration], _ => CelType.Int, a => (long)((TimeSpan)a[0]!).TotalHours);
        yield return new("getMinutes", true, [CelKind.Duration], _ => CelType.Int, a => (long)((TimeSpan)a[0]!).TotalMinutes);
        yield return new("getSeconds", true, [CelKind.Duration], _ => CelType.Int, a => (long)((TimeSpan)a[0]!).TotalSeconds);
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

    private static CelEvaluationException Range() => new("integer overflow");

    private static CelEvaluationException Convert(string type, object? value) =>
        new($"type conversion error from 'string' to '{type}': {GoText.Quote((string)value!)}");
}
