using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Graft.Operator.Local;

/// <summary>One document of a manifest file.</summary>
/// <param name="File">Its name without the folder.</param>
internal sealed record Manifest(string File, JsonObject Object)
{
    public string ApiVersion => Text("apiVersion");
    public string Kind => Text("kind");
    public string Name => (string?)Object["metadata"]?["name"] ?? "";

    private string Text(string field) => (string?)Object[field] ?? "";
}

/// <summary>
/// Reads the manifests of a folder: every <c>*.yaml</c> by name, every document in it. YAML 1.2's core schema decides what
/// is a number.
/// </summary>
internal static partial class ManifestFolder
{
    private const string Example = "'apiVersion: graft.dev/v1alpha1, kind: FineTuneJob'";

    /// <exception cref="LocalFailure">Something cannot be read; the message names file and line.</exception>
    public static IReadOnlyList<Manifest> Read(string folder)
    {
        if (!Directory.Exists(folder)) throw new LocalFailure($"there is no folder {folder}");
        var files = Directory.EnumerateFiles(folder, "*.yaml").Concat(Directory.EnumerateFiles(folder, "*.yml"))
            .Order(StringComparer.Ordinal).ToList();
        var manifests = files.SelectMany(file => Parse(Path.GetFileName(file), File.ReadAllText(file))).ToList();
        return manifests.Count > 0 ? manifests : throw new LocalFailure($"there is no manifest (*.yaml) in {folder}");
    }

    internal static IReadOnlyList<Manifest> Parse(string file, string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new LocalFailure($"{file}: line {e.Start.Line}: {e.InnerException?.Message ?? e.Message}", e);
        }
        var manifests = new List<Manifest>();
        foreach (var document in stream.Documents)
        {
            if (document.RootNode is YamlScalarNode { Value: null or "" }) continue;
            if (document.RootNode is not YamlMappingNode root)
                throw new LocalFailure($"{file}: line {document.RootNode.Start.Line}: a manifest is a map with apiVersion and kind");
            var manifest = new Manifest(file, (JsonObject)ToJson(root)!);
            foreach (var field in new[] { "apiVersion", "kind" })
            {
                if (manifest.Object[field] is not JsonValue value || value.GetValueKind() != System.Text.Json.JsonValueKind.String)
                    throw new LocalFailure($"{file}: line {root.Start.Line}: {field}: required, as in {Example}");
            }
            if (manifest.Name.Length == 0) throw new LocalFailure($"{file}: line {root.Start.Line}: metadata.name: required");
            manifests.Add(manifest);
        }
        return manifests;
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(
            map.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value ?? "", ToJson(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode scalar => Scalar(scalar),
        _ => throw new LocalFailure($"line {node.Start.Line}: aliases are not supported"),
    };

    private static JsonNode? Scalar(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style is not ScalarStyle.Plain) return text;
        if (text is "" or "~" or "null" or "Null" or "NULL") return null;
        if (text is "true" or "True" or "TRUE") return true;
        if (text is "false" or "False" or "FALSE") return false;
        if (Integer().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
            return integer;
        return Float().IsMatch(text)
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : text;
    }

    [GeneratedRegex(@"^[-+]?[0-9]+$")]
    private static partial Regex Integer();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Float();
}
