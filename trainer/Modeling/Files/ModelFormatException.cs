namespace Graft.Modeling;

/// <summary>
/// A model, tokenizer or adapter file that cannot be read, or does not fit. The message names the file and the tensor or
/// field, and says what is wrong; it is for the person who has the file.
/// </summary>
public sealed class ModelFormatException : Exception
{
    public ModelFormatException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner) => Path = path;

    /// <summary>The file or folder.</summary>
    public string Path { get; }
}
