using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>The <c>fieldPath</c> of a rule: <c>.member</c> and <c>['member']</c>, relative to the rule's place.</summary>
internal static class CelFieldPath
{
    /// <summary>The path as errors name it, without a leading dot, or null with the fault.</summary>
    public static string? Normalize(string path, TypeSchema schema, out string? fault)
    {
        var result = "";
        var at = 0;
        while (at < path.Length)
        {
            string name;
            if (path[at] == '.')
            {
                var end = path.IndexOfAny(['.', '['], at + 1);
                name = path[(at + 1)..(end < 0 ? path.Length : end)];
                at = end < 0 ? path.Length : end;
            }
            else if (path[at] == '[')
            {
                var end = path.IndexOf("']", at, StringComparison.Ordinal);
                if (at + 1 >= path.Length || path[at + 1] != '\'' || end < 0)
                {
                    fault = "expected single quoted string";
                    return null;
                }
                name = path[(at + 2)..end].Replace("\\'", "'", StringComparison.Ordinal).Replace(@"\\", @"\", StringComparison.Ordinal);
                at = end + 2;
            }
            else
            {
                fault = $"expected [ or . but got: {path[at..]}";
                return null;
            }
            if (name.Length == 0)
            {
                fault = "unexpected end of JSON path";
                return null;
            }
            if (schema.Properties.TryGetValue(name, out var property))
            {
                schema = property;
                result += "." + name;
            }
            else if (schema.AdditionalProperties is { } values)
            {
                schema = values;
                result += $"[{name}]";
            }
            else
            {
                fault = "does not refer to a valid field";
                return null;
            }
        }
        fault = null;
        return result.TrimStart('.');
    }
}
