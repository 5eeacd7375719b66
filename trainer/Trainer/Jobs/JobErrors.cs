using System.Numerics;

namespace Graft.Trainer.Jobs;

/// <summary>Gathers what is wrong with a job, one line a field, so that a person mends everything in one go.</summary>
internal sealed class JobErrors
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines => _lines;

    public void Add(string field, string problem) => _lines.Add($"{field}: {problem}");

    public void Check(bool good, string field, string problem)
    {
        if (!good) Add(field, problem);
    }

    public void NotBlank(string? value, string field) => Check(!string.IsNullOrWhiteSpace(value), field, "must not be empty");

    public void Between<T>(T? value, T low, T high, string field) where T : struct, INumber<T>
    {
        if (value is { } v && !(v >= low && v <= high)) Add(field, $"is {v}; must be between {low} and {high}");
    }

    public void Above(double? value, double low, string field)
    {
        if (value is { } v && !(v > low && double.IsFinite(v))) Add(field, $"is {v}; must be above {low}");
    }

    /// <summary>Of leaving something out: all of it is too much.</summary>
    public void Probability(double value, string field) =>
        Check(value is >= 0 and < 1, field, $"is {value}; must be at least 0 and below 1");

    /// <summary>A list of names, none of them empty and none there twice.</summary>
    public void Names(IReadOnlyList<string> names, int least, int most, string field)
    {
        Check(names.Count >= least && names.Count <= most, field, $"has {names.Count} entries; must have {least} to {most}");
        for (var i = 0; i < names.Count; i++) NotBlank(names[i], $"{field}[{i}]");
        Distinct(names.Where(n => !string.IsNullOrWhiteSpace(n)), field);
    }

    public void Distinct<T>(IEnumerable<T> values, string field)
    {
        var twice = values.GroupBy(v => v).Where(g => g.Count() > 1).Select(g => g.Key).ToList();
        if (twice.Count > 0) Add(field, $"names {string.Join(", ", twice)} more than once");
    }

    /// <summary>Exactly one member of a union is set.</summary>
    public void Union(string field, params (string Name, object? Value)[] members)
    {
        var set = members.Where(m => m.Value is not null).Select(m => m.Name).ToList();
        if (set.Count == 1) return;
        var names = string.Join(", ", members.Select(m => m.Name));
        Add(field, set.Count == 0 ? $"set exactly one of: {names}" : $"set exactly one of: {names}; here are {string.Join(" and ", set)}");
    }
}
