using System.Text;
using System.Text.RegularExpressions;
using Graft.Modeling.Tokenizers.PreTokenizers;

namespace Graft.Modeling.Tokenizers.Gguf;

/// <summary>
/// Pre-tokenizers by llama.cpp's names for them (<c>tokenizer.ggml.pre</c>): patterns applied one after another, each cutting out what it
/// finds. Where llama.cpp rewrote a published pattern for its own matcher, the published one stands here.
/// </summary>
internal static partial class GgufPreTokenizers
{
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Tail = @" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Llama3 = Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + Tail;
    private const string Qwen2 = Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + Tail;

    private const string Qwen35 =
        Contractions + @"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Upper = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", Lower = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", Before = @"[^\r\n\p{L}\p{N}]?";
    private const string CasedTail = @"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Gpt4o = Before + Upper + "*" + Lower + "+" + Contractions + "?|" + Before + Upper + "+" + Lower + "*"
        + Contractions
        + @"?|\p{N}{1,3}" + CasedTail;

    private const string Tekken = Before + Upper + "*" + Lower + "+|" + Before + Upper + "+" + Lower + @"*|\p{N}" + CasedTail;

    private const string DeepSeek3 = @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
        + @"| ?[\p{P}\p{S}]+[\r\n]*"
        + @"|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>
    /// Letters of alphabets that have case, as the model's authors list them; escaped, since some change when texts are normalized.
    /// </summary>
    private const string CasedLetters =
        @"\u0041-\u005A\u0061-\u007A\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF"
        + @"\u0370-\u0373\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481"
        + @"\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B"
        + @"\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D"
        + @"\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC"
        + @"\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D"
        + @"\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2"
        + @"\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF\uFB00-\uFB06\uFB13-\uFB17"
        + @"\uFF21-\uFF3A\uFF41-\uFF5A\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}"
        + @"\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}";

    private const string Asian = @"[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+";

    /// <summary>Patterns, and whether a whole piece that is a token is that token.</summary>
    private static readonly (string[] Names, string[] Patterns, bool IgnoreMerges)[] Known =
    [
        (["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"], [Llama3], true),
        (["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"], [Llama3], false),
        (["qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan", "grok-2"], [Qwen2], false),
        (["qwen35"], [Qwen35], false),
        (["gpt-4o", "llama4"], [Gpt4o], false),
        (["tekken"], [Tekken], true),
        (["gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat", "modern-bert",
            "roberta-bpe",
            "a.x-4.0", "mellum"], [SplitPreTokenizer.Gpt2Pattern], false),
        (["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"], [@"\p{N}", SplitPreTokenizer.Gpt2Pattern],
            false),
        (["deepseek-llm"], [@"[\r\n]", $@"\s?[{CasedLetters}]+", @"\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+",
            @"\s+$", Asian, @"\p{N}+"], false),
        (["deepseek-coder"], [@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", Asian, @"\p{N}"], false),
        (["deepseek-v3", "hunyuan-dense"], [@"\p{N}{1,3}", @"[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+", DeepSeek3], false),
        (["falcon"], [@"[\p{P}\$\+<=>\^~\|`]+", SplitPreTokenizer.Gpt2Pattern, "[0-9][0-9][0-9]"], false),
        (["poro-chat", "bloom", "gpt3-finnish"], [@" ?[^(\s|.,!?…。，、।۔،)]+"], false),
        (["viking"], [@" ?[^(\s|.,!?…。，、।۔،)]+", @"\p{N}"], false),
        (["default"], [@"[\p{P}\$\+<=>\^~\|]+", SplitPreTokenizer.Gpt2Pattern, @"\p{N}+", "[0-9][0-9][0-9]"], false),
    ];

    /// <summary>Pieces of a pattern that stand for a letter or a digit by its number.</summary>
    [GeneratedRegex(@"\\\\|\\u([0-9A-Fa-f]{4})|\\x\{([0-9A-Fa-f]{1,6})\}")]
    private static partial Regex Escaped();

    /// <summary>The first name of those patterns, however their characters are written; null when there is none.</summary>
    public static string? NameOf(IReadOnlyList<string> patterns, bool ignoreMerges)
    {
        var plain = patterns.Select(Plain).ToList();
        return Known.FirstOrDefault(k => k.IgnoreMerges == ignoreMerges && k.Patterns.Select(Plain).SequenceEqual(plain)).Names?[0];
    }

    private static string Plain(string pattern) => Escaped().Replace(pattern, m =>
    {
        var digits = m.Groups[1].Success ? m.Groups[1].Value : m.Groups[2].Value;
        return digits.Length > 0 && Rune.TryCreate(Convert.ToInt32(digits, 16), out var rune)
            && (rune.Value >= 128 || Rune.IsLetterOrDigit(rune)) ? rune.ToString() : m.Value;
    });

    public static IEnumerable<string> Names => Known.SelectMany(k => k.Names);

    /// <summary>Null when there is none of that name.</summary>
    public static (IReadOnlyList<string> Patterns, bool IgnoreMerges)? Find(string name)
    {
        foreach (var (names, patterns, ignoreMerges) in Known)
            if (names.Contains(name)) return (patterns, ignoreMerges);
        return null;
    }
}
