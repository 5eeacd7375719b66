using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>
/// A JSON number as the API server holds it: a 64-bit integer where the text is one, a double otherwise.
/// </summary>
internal readonly record struct JsonNumber(bool IsInteger, long Integer, double Value)
{
    public static JsonNumber Of(long value) => new(true, value, value);

    public static JsonNumber Of(double value) => new(false, 0, value);

    /// <summary>True where the value has no fraction: what a schema of type integer accepts.</summary>
    public bool IsWhole => IsInteger || (double.IsFinite(Value) && Math.Floor(Value) == Value);

    /// <summary>The shortest decimal text that reads back as the same value.</summary>
    public string Text => IsInteger ? Integer.ToString(CultureInfo.InvariantCulture) : TextOf(Value);

    public static JsonNumber Read(JsonNode node)
    {
        var value = node.AsValue();
        if (value.TryGetValue<JsonElement>(out var element))
        {
            return Parse(element.GetRawText());
        }
        if (value.TryGetValue<long>(out var l))
        {
            return Of(l);
        }
        return value.TryGetValue<int>(out var i) ? Of(i) : Parse(node.ToJsonString());
    }

    /// <summary>Reads the text of a JSON number.</summary>
    public static JsonNumber Parse(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)
            ? Of(integer)
            : Of(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));

    // Plain notation between 1e-6 and 1e21, otherwise an exponent without a leading zero, as Go's encoding/json writes it.
    private static string TextOf(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var e = text.IndexOf('E', StringComparison.Ordinal);
        if (e < 0)
        {
            return text;
        }
        var exponent = int.Parse(text[(e + 1)..], CultureInfo.InvariantCulture);
        var size = Math.Abs(value);
        if (size is < 1e-6 or >= 1e21)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{text[..e]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent)}");
        }
        var sign = text.StartsWith('-') ? "-" : "";
        var mantissa = text[sign.Length..e];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var position = (point < 0 ? mantissa.Length : point) + exponent;
        return sign + (position <= 0
            ? "0." + new string('0', -position) + digits
            : position >= digits.Length ? digits.PadRight(position, '0') : digits[..position] + "." + digits[position..]);
    }
}
