using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>
/// A YAML document as the JSON that it stands for (YAML 1.2 core schema, and 1.1's true and false words are strings). Of a key that
/// stands twice the last counts. Nesting and the expansion of aliases are bounded as the API server's YAML library bounds them.
/// </summary>
internal sealed class YamlBody
{
    // As deep as a JSON body may be.
    private const int MaxDepth = 256;

    private readonly Parser _events;
    private readonly List<string> _duplicates = [];
    private readonly Dictionary<AnchorName, JsonNode?> _anchors = [];
    private readonly HashSet<AnchorName> _open = [];
    private long _nodes;
    private long _aliased;

    private YamlBody(byte[] utf8) => _events = new Parser(new StringReader(Encoding.UTF8.GetString(utf8)));

    /// <param name="utf8">The text.</param>
    /// <param name="duplicates">Added to: for each key that stands twice, where it does.</param>
    /// <exception cref="JsonSyntaxException">The text is not one YAML document.</exception>
    public static JsonNode? Parse(byte[] utf8, List<string> duplicates)
    {
        var body = new YamlBody(utf8);
        try
        {
            var root = body.Document();
            duplicates.AddRange(body._duplicates);
            return StrictJson.Normalize(root);
        }
        catch (YamlException e)
        {
            throw new JsonSyntaxException(string.Create(CultureInfo.InvariantCulture, $"yaml: line {e.Start.Line}: {e.Message}"));
        }
    }

    private JsonNode? Document()
    {
        _events.Consume<StreamStart>();
        if (!_events.TryConsume<DocumentStart>(out _))
            return null;
        var root = Node(0);
        _events.Consume<DocumentEnd>();
        return _events.Accept<StreamEnd>(out _) ? root : throw new JsonSyntaxException("yaml: expected one document, found another");
    }

    private JsonNode? Node(int depth)
    {
        if (depth > MaxDepth)
            throw new JsonSyntaxException(string.Create(CultureInfo.InvariantCulture, $"yaml: exceeded max depth of {MaxDepth}"));
        Count(isAliased: false);
        if (_events.TryConsume<AnchorAlias>(out var alias))
            return Aliased(alias.Value);
        if (_events.TryConsume<Scalar>(out var scalar))
            return Anchored(scalar.Anchor, Value(scalar));
        if (_events.TryConsume<SequenceStart>(out var sequence))
        {
            Open(sequence.Anchor);
            var list = new JsonArray();
            while (!_events.TryConsume<SequenceEnd>(out _))
                list.Add(Node(depth + 1));
            return Anchored(sequence.Anchor, list);
        }
        return Mapping(_events.Consume<MappingStart>(), depth);
    }

    private JsonObject Mapping(MappingStart start, int depth)
    {
        Open(start.Anchor);
        var map = new JsonObject();
        while (!_events.TryConsume<MappingEnd>(out _))
        {
            var key = _events.TryConsume<Scalar>(out var name) ? name.Value : throw new JsonSyntaxException("yaml: a key is not a scalar");
            var line = _events.Current?.Start.Line ?? name.Start.Line;
            if (map.ContainsKey(key))
                _duplicates.Add(string.Create(CultureInfo.InvariantCulture, $"  line {line}: key {GoText.Quote(key)} already set in map"));
            map[key] = Node(depth + 1);
        }
        Anchored(start.Anchor, map);
        return map;
    }

    private void Open(AnchorName anchor)
    {
        if (!anchor.IsEmpty)
            _open.Add(anchor);
    }

    private JsonNode? Anchored(AnchorName anchor, JsonNode? value)
    {
        if (!anchor.IsEmpty)
        {
            _open.Remove(anchor);
            _anchors[anchor] = value;
        }
        return value;
    }

    private JsonNode? Aliased(AnchorName anchor)
    {
        if (_open.Contains(anchor))
            throw new JsonSyntaxException($"yaml: anchor '{anchor}' value contains itself");
        return _anchors.TryGetValue(anchor, out var value)
            ? Copy(value)
            : throw new JsonSyntaxException($"yaml: unknown anchor '{anchor}' referenced");
    }

    private JsonNode? Copy(JsonNode? node)
    {
        Count(isAliased: true);
        return node switch
        {
            JsonObject map => new JsonObject(map.Select(member => KeyValuePair.Create(member.Key, Copy(member.Value)))),
            JsonArray list => new JsonArray([.. list.Select(Copy)]),
            _ => node?.DeepClone(),
        };
    }

    /// <summary>The share of nodes that may come from aliases falls from 99 % at 400,000 nodes to 10 % at 4,000,000.</summary>
    private void Count(bool isAliased)
    {
        _nodes++;
        if (isAliased)
            _aliased++;
        var allowed = Math.Clamp(0.99 - 0.89 * (_nodes - 400_000) / 3_600_000, 0.10, 0.99);
        if (_aliased > 100 && _nodes > 1000 && (double)_aliased / _nodes > allowed)
            throw new JsonSyntaxException("yaml: document contains excessive aliasing");
    }

    private static JsonNode? Value(Scalar scalar)
    {
        var text = scalar.Value;
        if (scalar.Style is not ScalarStyle.Plain)
            return text;
        if (text is "" or "~" or "null" or "Null" or "NULL")
            return null;
        if (text is "true" or "True" or "TRUE")
            return true;
        if (text is "false" or "False" or "FALSE")
            return false;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return whole;
        return (char.IsAsciiDigit(text[0]) || text[0] is '.' or '-' or '+')
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : text;
    }
}
