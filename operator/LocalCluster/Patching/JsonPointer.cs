namespace Graft.LocalCluster.Patching;

/// <summary>JSON pointer, RFC 6901: the path of an operation, as its unescaped tokens.</summary>
internal static class JsonPointer
{
    /// <exception cref="PatchException">The pointer does not begin with a slash.</exception>
    public static string[] Parse(string pointer)
    {
        if (pointer.Length == 0)
        {
            return [];
        }
        if (pointer[0] != '/')
        {
            throw PatchException.BadRequest($"error decoding patch: path \"{pointer}\" must start with \"/\"");
        }
        return pointer[1..].Split('/')
            .Select(token => token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))
            .ToArray();
    }
}
