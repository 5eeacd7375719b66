namespace Graft.LocalCluster.Api.Hosting;

/// <summary>A file with a secret in it.</summary>
internal static class OwnersFile
{
    /// <summary>Made anew and with its mode from the start: at no moment can others open it, whatever lay there before.</summary>
    public static void Write(string path, string text)
    {
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        using var writer = new StreamWriter(file);
        writer.Write(text);
    }
}
