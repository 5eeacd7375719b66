using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>A YAML document as the JSON that it stands for (YAML 1.2 core schema, and 1.1's true and false words are strings).</summary>
internal static class YamlBody
{
    /// <exception cref="JsonSyntaxException">The text is not one YAML document.</exception>
    public static JsonNode? Parse(byte[] utf8, List<string> faults)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(Encoding.UTF8.GetString(utf8)));
            if (stream.Documents.Count != 1)
                throw new JsonSyntaxException($"expected one YAML document, found {stream.Documents.Count}");
            return StrictJson.Normalize(Convert(stream.Documents[0].RootNode, 0));
        }
        catch (YamlException e)
        {
            if (e.Message.StartsWith("Duplicate key", StringComparison.Ordinal))
                faults.Add(e.Message["Duplicate key".Length..].Trim());
            throw new JsonSyntaxException($"yaml: line {e.Start.Line}: {e.Message}");
        }
    }

    private static JsonNode? Convert(YamlNode node, int depth)
    {
        // Aliases may make a small text an endless tree.
        if (depth > 100)
            throw new JsonSyntaxException("yaml: nested too deeply");
        return node switch
        {
            YamlMappingNode map =>
                new JsonObject(map.Children.Select(pair => KeyValuePair.Create(Key(pair.Key), Convert(pair.Value, depth + 1)))),
            YamlSequenceNode list => new JsonArray([.. list.Children.Select(item => Convert(item, depth + 1))]),
            YamlScalarNode scalar => Scalar(scalar),
            _ => throw new JsonSyntaxException("yaml: unexpected node"),
        };
    }

    private static string Key(YamlNode node) =>
        (node as YamlScalarNode)?.Value ?? throw new JsonSyntaxException("yaml: a key is not a scalar");

    private static JsonNode? Scalar(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
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
