using System.Text.RegularExpressions;

namespace Graft.Modeling.Adapters;

/// <summary>Tensors of which something is to be said that is the same in every block, as one name.</summary>
internal static partial class TensorGroups
{
    /// <summary>
    /// Names that differ in nothing but their block's number become one: <c>model.layers.{0-29}.self_attn.q_proj.lora_A.weight</c>.
    /// </summary>
    /// <returns>In the order of each group's first name, with how many names it has.</returns>
    public static IReadOnlyList<(string Name, int Count)> Of(IEnumerable<string> names) =>
        [.. names.Select(n => (Name: n, Number: BlockNumber().Match(n)))
            .GroupBy(n => n.Number.Success ? BlockNumber().Replace(n.Name, "{}", 1) : n.Name, StringComparer.Ordinal)
            .Select(g => (g.Count() == 1 ? g.First().Name : Join(g.Key, g.Select(n => int.Parse(n.Number.Value))), g.Count()))];

    /// <summary>The same as text: <c>'NAME'</c>, what is wrong, and how many tensors that is.</summary>
    /// <param name="problems">A tensor's name, and what is wrong with it.</param>
    public static IEnumerable<string> Describe(IEnumerable<(string Name, string Problem)> problems) =>
        problems.GroupBy(p => p.Problem, StringComparer.Ordinal)
            .SelectMany(g => Of(g.Select(p => p.Name)).Select(n => $"'{n.Name}' {g.Key}{Tally(n.Count)}"));

    public static string Tally(int count) => count == 1 ? "" : $" ({count} tensors)";

    private static string Join(string pattern, IEnumerable<int> numbers) =>
        pattern.Replace("{}", $"{{{Ranges(numbers)}}}", StringComparison.Ordinal);

    /// <summary><c>0-3,7</c>.</summary>
    private static string Ranges(IEnumerable<int> numbers)
    {
        var parts = new List<(int From, int To)>();
        foreach (var number in numbers.Distinct().Order())
        {
            if (parts.Count > 0 && parts[^1].To == number - 1) parts[^1] = (parts[^1].From, number);
            else parts.Add((number, number));
        }
        return string.Join(',', parts.Select(p => p.From == p.To ? $"{p.From}" : $"{p.From}-{p.To}"));
    }

    [GeneratedRegex(@"(?<=^|\.)\d{1,9}(?=\.)")]
    private static partial Regex BlockNumber();
}
