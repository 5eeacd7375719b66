using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Cel;

namespace Graft.LocalCluster.Tests.Cel;

/// <summary>
/// The evaluator against the conformance data of the CEL specification, and against another implementation on random expressions
/// (tests/fixtures/cel). What the checker refuses is outside of the subset; which expressions those are is written down, so that the
/// subset cannot shrink unseen.
/// </summary>
public sealed class CelConformanceTests
{
    /// <summary>Write the list of what is outside anew: <c>GRAFT_WRITE_CEL_OUTSIDE=1</c>.</summary>
    private const string WriteVariable = "GRAFT_WRITE_CEL_OUTSIDE";

    /// <summary>Times are kept in units of 100 ns; Go's have 1 ns.</summary>
    private static readonly string[] Finer =
    [
        "timestamps/toString_timestamp_nanos", "timestamps/add_time_to_duration_nanos_negative",
        "timestamps/add_time_to_duration_nanos_positive", "timestamps/add_duration_nanos_under",
    ];

    [Fact]
    public void Expressions_of_the_specification_have_the_values_that_it_says()
    {
        var wrong = new List<string>();
        var outside = new List<string>();
        foreach (var row in Rows("conformance.jsonl"))
        {
            var name = $"{row["suite"]}/{row["name"]}";
            if (Compile(row, out var refusal) is not { } program)
            {
                // An expression without a value may be found to have none before it is evaluated.
                if (row["value"] is not null) outside.Add($"{name}: {refusal.Split('\n')[0]}");
                continue;
            }
            if (Difference(program, row) is { } difference && !Finer.Contains(name)) wrong.Add($"{name}: {row["expr"]}: {difference}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ:\n{string.Join('\n', wrong)}");
        outside.Sort(StringComparer.Ordinal);
        if (Environment.GetEnvironmentVariable(WriteVariable) is not null) File.WriteAllLines(Fixture("outside.txt"), outside);
        Assert.Equal(File.ReadAllLines(Fixture("outside.txt")), outside);
    }

    [Fact]
    public void Random_expressions_have_the_values_that_another_implementation_finds()
    {
        var wrong = new List<string>();
        foreach (var row in Rows("random.jsonl"))
        {
            if (Compile(row, out var refusal) is not { } program) wrong.Add($"{row["expr"]}: refused: {refusal}");
            else if (Difference(program, row) is { } difference) wrong.Add($"{row["expr"]}: {difference}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ:\n{string.Join('\n', wrong.Take(40))}");
    }

    private static CelProgram? Compile(JsonObject row, out string refusal)
    {
        var program = CelProgram.Compile(row["expr"]!.GetValue<string>(), CelType.Dyn, false, out var error);
        refusal = error?.Replace("ERROR: <input>:", "", StringComparison.Ordinal) ?? "";
        return program;
    }

    /// <returns>Null where the value is the one that the row says.</returns>
    private static string? Difference(CelProgram program, JsonObject row)
    {
        var wanted = row["value"]?.ToJsonString() ?? "no value";
        try
        {
            var value = new CelEvaluator(10_000_000).Evaluate(program.Root, null);
            var found = row["value"] is null ? Text(value) : null;
            if (found is not null) return $"has a value ({found}), and should have none";
            return Same(value, row["value"]!.AsObject()) ? null : $"is {Text(value)}, and should be {wanted}";
        }
        catch (CelEvaluationException e)
        {
            return row["value"] is null ? null : $"has no value ({e.Message}), and should be {wanted}";
        }
    }

    private static bool Same(object? value, JsonObject wanted)
    {
        var (type, expected) = wanted.Single();
        return (type, value) switch
        {
            ("int", long n) => n == long.Parse(expected!.GetValue<string>(), CultureInfo.InvariantCulture),
            ("uint", ulong n) => n == ulong.Parse(expected!.GetValue<string>(), CultureInfo.InvariantCulture),
            ("double", double n) => n.Equals(Number(expected!.GetValue<string>())) || n == Number(expected.GetValue<string>()),
            ("string", string text) => text == expected!.GetValue<string>(),
            ("bytes", byte[] bytes) => Convert.ToBase64String(bytes) == expected!.GetValue<string>(),
            ("bool", bool flag) => flag == expected!.GetValue<bool>(),
            ("null", null) => true,
            ("list", CelList list) => list.Items.Count == expected!.AsArray().Count
                && list.Items.Zip(expected.AsArray()).All(pair => Same(pair.First, pair.Second!.AsObject())),
            ("map", CelMap map) => map.Entries.Count == expected!.AsArray().Count && expected.AsArray().All(entry =>
                map.Entries.Any(own => Same(own.Key, entry![0]!.AsObject()) && Same(own.Value, entry[1]!.AsObject()))),
            ("timestamp", DateTimeOffset time) => time == DateTimeOffset.Parse(expected!.GetValue<string>(), CultureInfo.InvariantCulture),
            ("duration", TimeSpan span) => span == CelTime.ParseDuration(expected!.GetValue<string>()),
            _ => false,
        };
    }

    private static double Number(string text) => text switch
    {
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    private static string Text(object? value) => value switch
    {
        null => "null",
        CelList list => $"[{string.Join(", ", list.Items.Select(Text))}]",
        CelMap map => $"{{{string.Join(", ", map.Entries.Select(entry => $"{Text(entry.Key)}: {Text(entry.Value)}"))}}}",
        byte[] bytes => Convert.ToBase64String(bytes),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value.GetType().Name} {value}"),
    };

    private static IEnumerable<JsonObject> Rows(string name) =>
        File.ReadLines(Fixture(name)).Select(line => JsonNode.Parse(line, null, new JsonDocumentOptions { MaxDepth = 512 })!.AsObject());

    private static string Fixture(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "../../fixtures/cel", name);
}
