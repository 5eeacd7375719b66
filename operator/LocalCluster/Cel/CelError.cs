namespace Graft.LocalCluster.Cel;

/// <summary>A fault of an expression's text or types, at an offset.</summary>
internal sealed record CelIssue(int Offset, string Message)
{
    /// <summary>The fault with the line that it is in and a mark below it.</summary>
    public string Display(string source)
    {
        var offset = Math.Min(Offset, source.Length);
        var start = source.LastIndexOf('\n', Math.Max(offset - 1, 0)) + 1;
        start = offset == 0 ? 0 : start;
        var end = source.IndexOf('\n', offset);
        var line = source[start..(end < 0 ? source.Length : end)];
        var number = source.AsSpan(0, start).Count('\n') + 1;
        var column = offset - start;
        return string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"ERROR: <input>:{number}:{column + 1}: {Message}\n | {line}\n | {new string('.', column)}^");
    }
}

/// <summary>Parsing cannot go on.</summary>
internal sealed class CelSyntaxException(CelIssue issue) : Exception(issue.Message)
{
    public CelIssue Issue { get; } = issue;
}

/// <summary>An evaluation that has no value: an absent member, an index past the end, an overflow.</summary>
internal sealed class CelEvaluationException(string message) : Exception(message);

/// <summary>An evaluation that costs more than it may.</summary>
internal sealed class CelCostException() : Exception("operation cancelled: actual cost limit exceeded");
