using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>How names of members are written in CEL: <c>__dash__</c> for a dash, <c>__namespace__</c> for a word that CEL reserves.</summary>
internal static class CelNames
{
    private static readonly HashSet<string> Reserved =
    [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
        "package", "namespace", "return", "var", "void", "while",
    ];

    public static bool IsReserved(string name) => Reserved.Contains(name);

    public static string Escape(string name) => Reserved.Contains(name)
        ? $"__{name}__"
        : name.Replace("__", "__underscores__", StringComparison.Ordinal)
            .Replace(".", "__dot__", StringComparison.Ordinal)
            .Replace("-", "__dash__", StringComparison.Ordinal)
            .Replace("/", "__slash__", StringComparison.Ordinal);

    /// <summary>The real name of the member that is written as <paramref name="escaped"/>, or null.</summary>
    public static string? Find(IReadOnlyDictionary<string, TypeSchema> properties, string escaped) =>
        !escaped.Contains("__", StringComparison.Ordinal)
            ? properties.ContainsKey(escaped) && !Reserved.Contains(escaped) ? escaped : null
            : properties.Keys.FirstOrDefault(name => Escape(name) == escaped);
}
