using Graft.Modeling.Tokenizers.Decoders;
using Graft.Modeling.Tokenizers.Models;
using Graft.Modeling.Tokenizers.Normalizers;
using Graft.Modeling.Tokenizers.Patterns;
using Graft.Modeling.Tokenizers.PostProcessors;
using Graft.Modeling.Tokenizers.PreTokenizers;

namespace Graft.Modeling.Tokenizers.Gguf;

/// <summary>The tokenizer that a GGUF file carries in its metadata, made of the same parts as one of a tokenizer.json.</summary>
internal static class GgufTokenizer
{
    /// <summary>What SentencePiece writes for a blank.</summary>
    public const string Sign = "\u2581";

    /// <exception cref="ModelFormatException">It is missing, of a kind that is not supported, or does not fit the model.</exception>
    public static Tokenizer Read(GgufFile file, ModelConfig config)
    {
        var vocabulary = GgufVocabularyReader.Read(file);
        if (vocabulary.Tokens.Count > config.VocabularySize)
            throw new ModelFormatException(file.Path,
                $"its tokenizer has {vocabulary.Tokens.Count} tokens, but its embedding only {config.VocabularySize} rows");
        try
        {
            return new Tokenizer(Define(vocabulary));
        }
        catch (FormatException e)
        {
            throw new ModelFormatException(file.Path, e.Message, e);
        }
    }

    public static ChatTemplate? ReadChatTemplate(GgufFile file)
    {
        if (file.Text("tokenizer.chat_template") is not { } source) return null;
        var tokens = file.Texts("tokenizer.ggml.tokens") ?? [];
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, key) in new[] { ("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding"),
            ("unk_token", "unknown") })
            if (file.Number($"tokenizer.ggml.{key}_token_id") is { } id && id >= 0 && id < tokens.Length) variables[name] = tokens[id];
        return ChatTemplates.Parse(file.Path, source, variables);
    }

    private static TokenizerDefinition Define(GgufVocabulary v)
    {
        var options = new BpeOptions(v.UnknownToken, FuseUnknown: v.BySentencePiece, ByteFallback: v.BySentencePiece,
            IgnoreMerges: v.IgnoreMerges);
        var definition = new TokenizerDefinition
        {
            Model = new BpeModel(new Vocabulary([.. v.Tokens]), v.Merges, options, v.Ranks),
            PostProcessor = Around(v),
            Added = v.Added,
            BosId = v.BosId,
            EosId = v.EosId,
            PadId = v.PadId,
            EndOfGenerationIds = v.EndOfGenerationIds,
        };
        if (!v.BySentencePiece)
        {
            var splits = v.Patterns.Select(p => new SplitPreTokenizer(new Pattern(p), SplitBehavior.Isolated));
            return definition with
            {
                PreTokenizer = new PreTokenizerSequence([.. splits, new ByteLevelPreTokenizer(false, useRegex: false)]),
                Normalizer = v.PrefixSpace ? new ReplaceNormalizer(new Pattern(@"\A(?! )"), " ") : null,
                Decoder = new ByteLevelDecoder(),
            };
        }
        var replace = new ReplaceNormalizer(new LiteralFinder(" "), Sign);
        var decoders = new List<TokenDecoder> { new ReplaceDecoder(new LiteralFinder(Sign), " "), new ByteFallbackDecoder(),
            new FuseDecoder() };
        if (v.PrefixSpace) decoders.Add(new StripDecoder(' ', 1, 0));
        return definition with
        {
            Normalizer = v.PrefixSpace ? new NormalizerSequence([new PrependNormalizer(Sign), replace]) : replace,
            Decoder = new DecoderSequence(decoders),
        };
    }

    private static TemplateProcessing? Around(GgufVocabulary v)
    {
        if (v.Prefix.Count + v.Suffix.Count == 0) return null;
        TemplatePiece Put(int id, int type) => new(null, [id], [v.Tokens[id]], type);
        List<TemplatePiece> One(int text) =>
            [.. v.Prefix.Select(id => Put(id, text)), new TemplatePiece(text, [], [], text), .. v.Suffix.Select(id => Put(id, text))];
        return new TemplateProcessing(One(0), [.. One(0), .. One(1)]);
    }
}
