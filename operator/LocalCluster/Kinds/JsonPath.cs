using System.Text;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>
/// The JSONPath of CustomResourceDefinitions: members, indices and slices, <c>[*]</c> and equality filters such as
/// <c>.status.conditions[?(@.type=="Ready")].status</c>.
/// </summary>
internal sealed class JsonPath
{
    private abstract record Step;

    private sealed record Member(string Name) : Step;

    /// <summary>The items from a place to before another, both counted from the end if negative; null is the end itself.</summary>
    private sealed record Slice(int From, int? To) : Step;

    private sealed record All : Step;

    private sealed record Filter(IReadOnlyList<string> Path, string Value) : Step;

    private readonly List<Step> _steps = [];

    private JsonPath()
    {
    }

    /// <exception cref="FormatException">The path is not one of the forms above.</exception>
    public static JsonPath Parse(string text)
    {
        var path = new JsonPath();
        var rest = text.Trim().TrimStart('{').TrimEnd('}');
        while (rest.Length > 0)
        {
            if (rest[0] == '[')
            {
                var end = EndOfBracket(rest);
                path._steps.Add(Bracket(rest[1..end], text));
                rest = rest[(end + 1)..];
            }
            else if (rest[0] == '.')
            {
                rest = path.TakeMember(rest[1..]);
            }
            else
            {
                throw new FormatException($"\"{text}\" is not a JSON path");
            }
        }
        return path;
    }

    /// <summary>The member names of a path without lists, as scale and selectable fields need it.</summary>
    public static IReadOnlyList<string> Members(string text) => [.. Parse(text)._steps.OfType<Member>().Select(member => member.Name)];

    public IReadOnlyList<JsonNode> Select(JsonNode root)
    {
        IEnumerable<JsonNode?> current = [root];
        foreach (var step in _steps)
            current = current.SelectMany(node => Next(node, step)).ToList();
        return [.. current.OfType<JsonNode>()];
    }

    private static IEnumerable<JsonNode?> Next(JsonNode? node, Step step) => step switch
    {
        Member member => [(node as JsonObject)?[member.Name]],
        Slice slice when node is JsonArray array => array.Take(FromStart(slice.From, array)..FromStart(slice.To ?? array.Count, array)),
        All => node is JsonObject map ? map.Select(pair => pair.Value) : node as JsonArray ?? [],
        Filter filter => node.Objects().Where(item => item.At([.. filter.Path]).AsText() == filter.Value),
        _ => [],
    };

    private static int FromStart(int place, JsonArray array) => Math.Clamp(place < 0 ? place + array.Count : place, 0, array.Count);

    private string TakeMember(string rest)
    {
        var name = new StringBuilder();
        var i = 0;
        for (; i < rest.Length && rest[i] is not ('.' or '['); i++)
        {
            if (rest[i] == '\\' && i + 1 < rest.Length)
                i++;
            name.Append(rest[i]);
        }
        if (name.Length > 0)
            _steps.Add(name.ToString() == "*" ? new All() : new Member(name.ToString()));
        return rest[i..];
    }

    private static int EndOfBracket(string text)
    {
        var quote = '\0';
        for (var i = 1; i < text.Length; i++)
        {
            if (quote == '\0' && text[i] == ']')
                return i;
            if (text[i] is '"' or '\'')
                quote = quote == '\0' ? text[i] : quote == text[i] ? '\0' : quote;
        }
        throw new FormatException($"\"{text}\" lacks a closing bracket");
    }

    private static Step Bracket(string inner, string whole)
    {
        if (inner == "*")
            return new All();
        if (int.TryParse(inner, out var index))
            return new Slice(index, index == -1 ? null : index + 1);
        var ends = inner.Split(':');
        if (ends.Length == 2 && IsEnd(ends[0], out var from) && IsEnd(ends[1], out var to))
            return new Slice(from ?? 0, to);
        if (inner.Length > 1 && inner[0] is '"' or '\'')
            return new Member(inner[1..^1]);
        if (!inner.StartsWith("?(@.", StringComparison.Ordinal) || !inner.EndsWith(')'))
            throw new FormatException($"\"{whole}\": only [n], [m:n], [*], ['name'] and [?(@.name==\"value\")] are supported");
        var sides = inner[4..^1].Split("==", 2);
        if (sides.Length != 2)
            throw new FormatException($"\"{whole}\": a filter compares with ==");
        return new Filter(sides[0].Trim().Split('.'), sides[1].Trim().Trim('"', '\''));
    }

    private static bool IsEnd(string text, out int? place)
    {
        place = int.TryParse(text, out var number) ? number : null;
        return place is not null || text.Length == 0;
    }
}
