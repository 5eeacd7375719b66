namespace Graft.Sources.Cache;

/// <summary>Links of a snapshot, seen as what they lead to.</summary>
internal static class Links
{
    /// <summary>
    /// Whether a file can be opened there. <see cref="File.Exists(string?)"/> is true on Unix for a link that leads to nothing as well.
    /// </summary>
    public static bool LeadToFile(string path)
    {
        if (!File.Exists(path)) return false;
        try
        {
            return new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is not { } target || target.Exists;
        }
        catch (IOException)
        {
            // A circle of links.
            return false;
        }
    }
}
