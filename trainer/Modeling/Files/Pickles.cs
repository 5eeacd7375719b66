namespace Graft.Modeling;

/// <summary>Files that Python's pickle wrote, as torch does for <c>.bin</c> and <c>.pt</c>. They are never opened here.</summary>
public static class Pickles
{
    public const string Danger = "a pickle, which can run anything when it is read";

    private static readonly string[] Endings = [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"];

    /// <summary>By its name alone.</summary>
    public static bool Is(string file) => Endings.Contains(Path.GetExtension(file).ToLowerInvariant());
}
