using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Graft.Benchmarks;

/// <summary>One measured number.</summary>
internal sealed record Figure(string Name, double Value, string Unit);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<Figure>))]
internal sealed partial class FigureJson : JsonSerializerContext;

/// <summary>Where a benchmark speaks: figures to standard output, everything else to standard error.</summary>
internal static class Report
{
    public static void Say(string line) => Console.Error.WriteLine(line);

    public static void Print(IReadOnlyList<Figure> figures, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(figures, FigureJson.Default.IReadOnlyListFigure));
            return;
        }
        foreach (var (name, value, unit) in figures)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-24} {value,12:0.####} {unit}"));
    }
}
