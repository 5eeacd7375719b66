using Graft.Modeling.Tokenizers;

namespace Graft.Modeling.Files;

/// <summary>
/// How large a model's small files may be. They are read into memory as a whole; the largest tokenizers published have 40 MB, and the
/// largest indices of shards a few.
/// </summary>
internal static class FileSizes
{
    public const long Tokenizer = 128 << 20, Other = 16 << 20;

    /// <exception cref="ModelFormatException">It is larger.</exception>
    public static void Check(string path)
    {
        var most = Path.GetFileName(path) == TokenizerFiles.Tokenizer ? Tokenizer : Other;
        if (new FileInfo(path) is { Exists: true, Length: var length } && length > most)
            throw new ModelFormatException(path, $"has {length} bytes; at most {most} are read of such a file");
    }
}
