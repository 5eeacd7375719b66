using System.Diagnostics.CodeAnalysis;

namespace Graft.Sources.Network;

internal static class EndpointUri
{
    /// <summary>An absolute http(s) address without anything that could carry a secret or a trick.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(text, UriKind.Absolute, out uri)
            && uri.Scheme is "https" or "http" && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0;

    /// <summary>Whether two addresses are the same server, so that credentials of one may be shown to the other.</summary>
    public static bool SameOrigin(Uri a, Uri b) =>
        a.Scheme == b.Scheme && a.Port == b.Port && string.Equals(a.IdnHost, b.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>For messages: signed addresses carry their secret in the query.</summary>
    public static string WithoutQuery(Uri uri) => uri.GetLeftPart(UriPartial.Path);
}
