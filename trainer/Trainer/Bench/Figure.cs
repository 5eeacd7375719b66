using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Graft.Trainer.Bench;

/// <summary>One measured number.</summary>
internal sealed record Figure(string Name, double Value, string Unit)
{
    public static void Print(IReadOnlyList<Figure> figures, bool json, TextWriter output)
    {
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(figures, FigureJson.Default.IReadOnlyListFigure));
            return;
        }
        foreach (var (name, value, unit) in figures)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-36} {value,12:0.##} {unit}"));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<Figure>))]
internal sealed partial class FigureJson : JsonSerializerContext;
