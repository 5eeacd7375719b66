using System.Text.Json;
using Graft.Modeling.Tokenizers.PreTokenizers;

namespace Graft.Modeling.Tokenizers.Gguf;

/// <summary>How a tokenizer.json of byte-level BPE cuts texts, by llama.cpp's name for it: GGUF has no other way to say that.</summary>
internal static class GgufBytePieces
{
    /// <exception cref="FormatException">There is no name for it.</exception>
    public static string NameOf(JsonElement root)
    {
        var model = root.GetProperty("model");
        var patterns = new List<string>();
        if (!Cut(root.Find("pre_tokenizer"), patterns))
            throw new FormatException("it is no BPE over bytes, nor over characters with byte fallback");
        var name = GgufPreTokenizers.NameOf(patterns, model.IsTrue("ignore_merges")) ?? throw new FormatException(
            "its pre-tokenizer is none that llama.cpp has a name for; known here: " + string.Join(", ", GgufPreTokenizers.Names));
        // llama.cpp has no NFC and leaves it out of the models of Qwen, all of which are published with it.
        if (root.Find("normalizer") is { } normalizer && !(normalizer.Type() == "NFC" && name is "qwen2" or "qwen35"))
            throw new FormatException($"its normalizer '{normalizer.Type()}' has no place in GGUF");
        return name;
    }

    /// <summary>Gathers the patterns of a pre-tokenizer; true when it ends in bytes.</summary>
    private static bool Cut(JsonElement? pre, List<string> patterns)
    {
        if (pre is not { } part) return false;
        switch (part.Type())
        {
            case "Sequence":
                var any = false;
                foreach (var inner in part.GetProperty("pretokenizers").EnumerateArray()) any |= Cut(inner, patterns);
                return any;
            case "ByteLevel":
                if (part.IsTrue("add_prefix_space"))
                    throw new FormatException("its pre-tokenizer 'ByteLevel' adds a blank, which has no place in GGUF");
                if (part.Find("use_regex") is not { } regex || regex.GetBoolean()) patterns.Add(SplitPreTokenizer.Gpt2Pattern);
                return true;
            case "Digits" when part.IsTrue("individual_digits"):
                patterns.Add(@"\p{N}");
                return false;
            case "Split" when part.GetProperty("behavior").GetString() == "Isolated"
                && part.GetProperty("pattern").Find("Regex") is { } pattern:
                patterns.Add(pattern.GetString()!);
                return false;
            case var other:
                throw new FormatException($"its pre-tokenizer '{other}' has no place in GGUF");
        }
    }
}
