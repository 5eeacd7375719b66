namespace Graft.Modeling.Models;

/// <summary>Names in files of weights that differ from those of the modules.</summary>
internal static class StoredNames
{
    private static readonly string[] DecoderParts = ["embed_tokens.", "layers.", "norm."];

    /// <summary>A file of the bare body lacks the prefix that its modules have within a model with a head.</summary>
    /// <param name="parts">What the names of the body begin with.</param>
    public static string Under(string prefix, string name, params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
            if (name.StartsWith(part, StringComparison.Ordinal)) return prefix + name;
        return name;
    }

    /// <summary>Of decoders that call their body <c>model</c>.</summary>
    public static string Decoder(string name) => Under("model.", name, DecoderParts);
}
