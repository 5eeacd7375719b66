using System.Security.Cryptography;
using System.Text;

namespace Graft.Sources.Cache;

/// <summary>Names that come from the other side, before they become paths here.</summary>
internal static class Names
{
    private const int LongestPart = 200;
    private const int LongestName = 1024;

    /// <summary>A name that leads to a file below the folder that it is joined to, on any system.</summary>
    public static bool IsSafe(string name) =>
        name.Length is > 0 and <= LongestName
            && !name.Any(c => char.IsControl(c) || c is '\\' or ':')
            && name.Split('/').All(part => part.Length is > 0 and <= LongestPart && part is not ("." or ".."));

    /// <exception cref="SourceException"><see cref="SourceFault.Refused"/>.</exception>
    public static string Safe(string name) => IsSafe(name)
        ? name
        : throw new SourceException(SourceFault.Refused, $"a file is named '{Printable(name)}', which is no path inside a folder");

    /// <summary>A short name for any text: the same text has the same, another has another.</summary>
    public static string Key(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];

    /// <summary>A text of the other side for a message: short, and on one line.</summary>
    public static string Printable(string text) =>
        string.Concat(text.Take(100).Select(c => char.IsControl(c) ? '?' : c)) + (text.Length > 100 ? "…" : "");
}
