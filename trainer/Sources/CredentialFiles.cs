namespace Graft.Sources;

/// <summary>
/// The files of a mounted Secret, one for each key. They are read anew for each fetch, because a Secret may be renewed, and their
/// contents are never part of a message.
/// </summary>
internal static class CredentialFiles
{
    private const int MaxBytes = 64 << 10;

    /// <summary>
    /// The content of the first of <paramref name="keys"/> that there is, without white space around it; null: none is there.
    /// </summary>
    /// <exception cref="SourceException"><see cref="SourceFault.Invalid"/>: the folder or a file cannot be read.</exception>
    public static string? Read(string? folder, params string[] keys)
    {
        if (folder is null) return null;
        if (!Directory.Exists(folder)) throw Invalid($"there is no folder {folder} with credentials");
        return keys.Select(key => ReadFile(Path.Combine(folder, key))).FirstOrDefault(text => text is not null);
    }

    /// <summary>Null when there is no such file, or nothing in it.</summary>
    public static string? ReadFile(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return null;
            if (file.Length > MaxBytes) throw Invalid($"{path} is longer than {MaxBytes} bytes, which no credentials are");
            var text = File.ReadAllText(path).Trim();
            return text.Length == 0 ? null : text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid($"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>A text that goes into a header: one word of printable ASCII.</summary>
    public static string Word(string text, string what) => text.All(c => c is > ' ' and < (char)127)
        ? text
        : throw Invalid($"{what} holds white space or other characters that it cannot have");

    /// <exception cref="SourceException">The folder is there but has none of the keys.</exception>
    public static SourceException Lacking(string folder, string keys) => Invalid($"the credentials in {folder} have no key {keys}");

    private static SourceException Invalid(string message) => new(SourceFault.Invalid, message);
}
