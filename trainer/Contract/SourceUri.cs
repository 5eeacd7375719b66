using System.Text.RegularExpressions;

namespace Graft.Contract;

/// <summary>
/// A source that is fetched over the network. URIs are taken literally: nothing is unescaped, so nothing can hide in an escape,
/// and what does not fit the grammar is refused rather than repaired.
/// </summary>
public abstract partial record SourceUri(string Text)
{
    public const string HubExample = "hf://ORG/MODEL@REVISION";
    public const string S3Example = "s3://BUCKET/PREFIX";
    public const string OciExample = "oci://HOST/REPOSITORY:TAG or oci://HOST/REPOSITORY@sha256:DIGEST";

    /// <summary>A repository of the Hugging Face hub, spelt as huggingface_hub's file system spells it.</summary>
    /// <param name="Repository"><c>ORG/NAME</c>; some old ones are only <c>NAME</c>.</param>
    /// <param name="Revision">Branch, tag or commit; <c>main</c> where none is written.</param>
    /// <param name="Path">A folder or file in it, without slashes at its ends; empty for the root.</param>
    public sealed record Hub(string Text, string Repository, string Revision, string Path) : SourceUri(Text);

    /// <param name="Key">One object's key, or a prefix that ends where a <c>/</c> follows; empty for the whole bucket.</param>
    public sealed record S3(string Text, string Bucket, string Key) : SourceUri(Text);

    /// <param name="Registry">Host, with a port where it is not the scheme's.</param>
    /// <param name="Reference">Tag, or <c>sha256:…</c>.</param>
    public sealed record Oci(string Text, string Registry, string Repository, string Reference) : SourceUri(Text);

    /// <summary>Whether the text begins like a source that is fetched, right or wrong after that.</summary>
    public static bool IsRemote(string text) =>
        text.StartsWith("hf://", StringComparison.Ordinal) || text.StartsWith("s3://", StringComparison.Ordinal)
            || text.StartsWith("oci://", StringComparison.Ordinal);

    /// <summary>Reads <paramref name="text"/>; exactly one of the two results is set, and the problem says what would be right.</summary>
    public static (SourceUri? Uri, string? Problem) Parse(string text)
    {
        if (!IsRemote(text)) return (null, $"write {HubExample}, {S3Example} or {OciExample}");
        if (text.Any(c => char.IsControl(c) || c is '\\' or '?' or '#' or ' '))
            return (null, "spaces, control characters, backslashes, '?' and '#' are not allowed");
        var rest = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
        return text[0] switch
        {
            'h' => ParseHub(text, rest),
            's' => ParseS3(text, rest),
            _ => ParseOci(text, rest),
        };
    }

    private static (SourceUri?, string?) ParseHub(string text, string rest)
    {
        if (rest.StartsWith("datasets/", StringComparison.Ordinal) || rest.StartsWith("spaces/", StringComparison.Ordinal))
            return (null, $"only model repositories are fetched from the hub; write {HubExample}");
        var match = HubShape().Match(rest);
        if (!match.Success) return (null, $"write {HubExample}, perhaps with /FILE.gguf or /FOLDER after it");
        var (repository, revision, path) = (match.Groups["repo"].Value, match.Groups["rev"].Value, match.Groups["path"].Value.TrimEnd('/'));
        if (repository.Contains("--", StringComparison.Ordinal) || repository.Contains("..", StringComparison.Ordinal))
            return (null, $"'{repository}' is not a repository's name: it may not hold '--' or '..'");
        if (revision.Contains("..", StringComparison.Ordinal)) return (null, $"'{revision}' is not a branch, tag or commit");
        return LeavesItsFolder(path)
            ? (null, "the path may not have empty, '.' or '..' parts")
            : (new Hub(text, repository, revision.Length == 0 ? "main" : revision, path), null);
    }

    private static (SourceUri?, string?) ParseS3(string text, string rest)
    {
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (bucket, key) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..].TrimEnd('/'));
        if (!BucketName().IsMatch(bucket))
            return (null, $"a bucket's name has 3 to 63 lower-case letters, digits, '-' and '.'; write {S3Example}");
        return LeavesItsFolder(key) ? (null, "the key may not have empty, '.' or '..' parts") : (new S3(text, bucket, key), null);
    }

    private static (SourceUri?, string?) ParseOci(string text, string rest)
    {
        var match = OciShape().Match(rest);
        if (!match.Success) return (null, $"write {OciExample}");
        var (tag, digest) = (match.Groups["tag"].Value, match.Groups["digest"].Value);
        return tag.Length + digest.Length == 0
            ? (null, "it does not say which version: add :TAG or @sha256:DIGEST")
            : (new Oci(text, match.Groups["host"].Value, match.Groups["repo"].Value, digest.Length > 0 ? digest : tag), null);
    }

    private static bool LeavesItsFolder(string path) => path.Length > 0 && path.Split('/').Any(part => part is "" or "." or "..");

    // refs/pr/N and refs/convert/NAME are the hub's own revisions that hold slashes.
    [GeneratedRegex("^(?<repo>[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?)"
        + "(@(?<rev>refs/(pr|convert)/[A-Za-z0-9._-]{1,96}|[A-Za-z0-9][A-Za-z0-9._-]{0,127}))?(/(?<path>[^@]*))?$",
        RegexOptions.ExplicitCapture)]
    private static partial Regex HubShape();

    [GeneratedRegex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    private static partial Regex BucketName();

    // Names as in the OCI distribution specification, section "Pulling manifests".
    [GeneratedRegex("^(?<host>[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?|\\[[0-9A-Fa-f:]+\\](:[0-9]{1,5})?)"
        + "/(?<repo>[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*)"
        + "(:(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(@(?<digest>sha256:[0-9a-f]{64}))?$", RegexOptions.ExplicitCapture)]
    private static partial Regex OciShape();
}
