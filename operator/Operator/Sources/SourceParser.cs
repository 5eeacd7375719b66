using System.Text.RegularExpressions;
using Graft.Contract;
using Graft.Operator.Api;

namespace Graft.Operator.Sources;

/// <summary>
/// Reads source URIs. They are taken literally: nothing is unescaped, so nothing can hide in an escape, and a path that
/// would leave its claim or folder is refused rather than repaired.
/// </summary>
internal static partial class SourceParser
{
    private const string Known = "pvc://CLAIM/PATH";
    private static readonly string[] Later = ["https", "http", "gs"];

    /// <summary>Reads <paramref name="text"/>; exactly one of the two results is set.</summary>
    public static (Source? Source, SourceError? Error) Parse(string text, SourceOptions options)
    {
        if (options.Substitutes.TryGetValue(text, out var substitute))
            return Existing(new Source.File(text, Path.GetFullPath(substitute)), options);
        var split = text.IndexOf("://", StringComparison.Ordinal);
        if (split <= 0) return Invalid(text, $"it has no scheme; write {Examples(options)}");
        var (scheme, rest) = (text[..split], text[(split + 3)..]);
        if (rest.Any(c => char.IsControl(c) || c is '\\')) return Invalid(text, "control characters and backslashes are not allowed");
        return scheme switch
        {
            "pvc" => ParsePvc(text, rest),
            "file" => ParseFile(text, rest, options),
            _ when SourceUri.IsRemote(text) => ParseRemote(text),
            _ when Later.Contains(scheme) =>
                (null, new(
                    Reasons.UnsupportedSource, $"'{text}': {scheme}:// cannot be fetched by this version; write {Examples(options)}")),
            _ => (null, new(Reasons.UnsupportedSource, $"'{text}': the scheme {scheme}:// is unknown; write {Examples(options)}")),
        };
    }

    /// <summary>As <see cref="Parse"/>, for what must be mounted because nobody fetches it.</summary>
    public static (Source? Source, SourceError? Error) ParseMounted(string text, SourceOptions options)
    {
        var (source, error) = Parse(text, options);
        if (source is not Source.Remote) return (source, error);
        var scheme = text[..text.IndexOf("://", StringComparison.Ordinal)];
        var mounted = options.AllowFiles ? $"{Known} or file:///PATH" : Known;
        return (null, new(Reasons.UnsupportedSource, $"'{text}': {scheme}:// cannot be fetched here by this version; write {mounted}"));
    }

    private static (Source?, SourceError?) ParseRemote(string text)
    {
        var (uri, problem) = SourceUri.Parse(text);
        return uri is null ? Invalid(text, problem!) : (new Source.Remote(text, uri), null);
    }

    private static (Source?, SourceError?) ParsePvc(string text, string rest)
    {
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (claim, path) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..].TrimEnd('/'));
        if (claim.Length > 253 || !ClaimName().IsMatch(claim)) return Invalid(text, $"'{claim}' is not a claim's name; write {Known}");
        return LeavesItsFolder(path)
            ? Invalid(text, "the path may not have empty, '.' or '..' parts")
            : (new Source.Pvc(text, claim, path), null);
    }

    private static (Source?, SourceError?) ParseFile(string text, string rest, SourceOptions options)
    {
        if (!options.AllowFiles)
            return (null, new(
                Reasons.UnsupportedSource,
                $"'{text}': file:// means a file of one machine, which pods of a cluster do not see; write {Examples(options)}"));
        var relative = rest == "." || rest.StartsWith("./", StringComparison.Ordinal);
        if (!relative && !rest.StartsWith('/')) return Invalid(text, "write file:///ABSOLUTE/PATH or file://./RELATIVE/PATH");
        var path = rest[1..].Trim('/');
        if (LeavesItsFolder(path)) return Invalid(text, "the path may not have empty, '.' or '..' parts");
        if (!relative) return Existing(new Source.File(text, "/" + path), options);
        return options.FileRoot is null
            ? Invalid(text, "there is no folder that a relative path could start from; write file:///ABSOLUTE/PATH")
            : Existing(new Source.File(text, Path.Combine(Path.GetFullPath(options.FileRoot), path)), options);
    }

    // Found before a pod waits for ever for a mount that cannot be made.
    private static (Source?, SourceError?) Existing(Source.File file, SourceOptions options) =>
        options.Exists?.Invoke(file.Path) == false ? Invalid(file.Text, $"there is nothing at {file.Path}") : (file, null);

    private static bool LeavesItsFolder(string path) => path.Length > 0 && path.Split('/').Any(part => part is "" or "." or "..");

    private static (Source?, SourceError?) Invalid(string text, string why) => (null, new(Reasons.InvalidSpec, $"'{text}': {why}"));

    private static string Examples(SourceOptions options) =>
        $"{Known}, {SourceUri.HubExample}, {SourceUri.S3Example}, {SourceUri.OciExample}" + (options.AllowFiles ? ", or file:///PATH" : "");

    [GeneratedRegex(NamePatterns.Subdomain)]
    private static partial Regex ClaimName();
}
