using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Reading;
using Microsoft.AspNetCore.Http.Features;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Graft.LocalCluster.Api.Hosting;

/// <summary>Answers in YAML where a client asks for it: everything that answers in JSON is turned once it is whole.</summary>
internal static class YamlAnswer
{
    /// <summary>Handles the request, with the JSON of its answer turned into YAML.</summary>
    public static async Task HandleAsync(HttpContext http, Func<HttpContext, Task> next)
    {
        var outer = http.Features.Get<IHttpResponseBodyFeature>()!;
        using var whole = new MemoryStream();
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(whole));
        try
        {
            await next(http);
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        }
        finally
        {
            http.Features.Set(outer);
        }
        ReadOnlyMemory<byte> body = whole.GetBuffer().AsMemory(0, (int)whole.Length);
        if (http.Response.ContentType == "application/json")
        {
            http.Response.ContentType = Representation.Yaml;
            body = Encoding.UTF8.GetBytes(Text(JsonNode.Parse(body.Span)));
        }
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    /// <summary>The YAML of a JSON document, in block style.</summary>
    public static string Text(JsonNode? node)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text, new EmitterSettings().WithMaxSimpleKeyLength(1024).WithIndentedSequences());
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Emit(emitter, node);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    private static void Emit(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                var mapStyle = map.Count == 0 ? MappingStyle.Flow : MappingStyle.Block;
                emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, mapStyle));
                foreach (var (name, value) in map)
                {
                    Emit(emitter, name);
                    Emit(emitter, value);
                }
                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                var listStyle = list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block;
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, listStyle));
                foreach (var item in list)
                    Emit(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            case not null when node.GetValueKind() == JsonValueKind.String:
                Emit(emitter, node.GetValue<string>());
                break;
            default:
                emitter.Emit(new Scalar(node?.ToJsonString() ?? "null"));
                break;
        }
    }

    /// <summary>A text is quoted where it could be read as something else; what may stand plain is a cautious choice.</summary>
    private static void Emit(Emitter emitter, string text)
    {
        var isPlain = text.Length > 0 && char.IsAsciiLetter(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/')
            && text.ToUpperInvariant() is not ("NULL" or "TRUE" or "FALSE" or "YES" or "NO" or "ON" or "OFF" or "Y" or "N");
        var style = isPlain ? ScalarStyle.Plain : ScalarStyle.DoubleQuoted;
        emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, text, style, isPlain, !isPlain));
    }
}
