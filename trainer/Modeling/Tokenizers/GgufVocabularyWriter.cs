using System.Globalization;
using System.Text.Json;
using Graft.Modeling.Tokenizers.Gguf;

namespace Graft.Modeling.Tokenizers;

/// <summary>
/// A model folder's tokenizer and chat template as GGUF metadata (<c>tokenizer.ggml.*</c>): byte-level BPE, and BPE over characters with
/// byte fallback. One with which llama.cpp would make other tokens is refused.
/// </summary>
internal static class GgufVocabularyWriter
{
    private const int Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6;

    /// <param name="vocabularySize">Rows of the embedding: ids without a token are filled up to there.</param>
    /// <exception cref="ModelFormatException">The tokenizer is of a kind that GGUF, or this, cannot say.</exception>
    public static List<(string Key, object Value)> Metadata(string folder, int vocabularySize, ModelConfig config)
    {
        var path = Path.Combine(folder, TokenizerFiles.Tokenizer);
        if (!File.Exists(path)) throw new ModelFormatException(folder, $"holds no {TokenizerFiles.Tokenizer}");
        // What is written below has been found to be a tokenizer by then.
        var tokenizer = TokenizerFiles.Read(folder, config);
        using var json = ModelConfigReader.Parse(path);
        try
        {
            return [.. Said(json.RootElement, vocabularySize), .. Special(folder, json.RootElement, tokenizer)];
        }
        catch (FormatException e)
        {
            throw new ModelFormatException(path, $"cannot be written to GGUF: {e.Message}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException)
        {
            throw new ModelFormatException(path, $"is no tokenizer: {e.Message}", e);
        }
    }

    private static IEnumerable<(string, object)> Said(JsonElement root, int vocabularySize)
    {
        var model = root.GetProperty("model");
        if ((model.Find("type")?.GetString() ?? "BPE") is var kind and not "BPE")
            throw new FormatException($"its model '{kind}' has no place in GGUF, only BPE has");
        var (tokens, types) = Vocabulary(root, vocabularySize);
        var merges = model.GetProperty("merges").EnumerateArray().Select(Merge).ToList();
        if (!GgufSentencePieces.Fits(root))
        {
            yield return ("tokenizer.ggml.model", "gpt2");
            yield return ("tokenizer.ggml.pre", GgufBytePieces.NameOf(root));
            yield return ("tokenizer.ggml.tokens", tokens);
            yield return ("tokenizer.ggml.token_type", types);
            yield return ("tokenizer.ggml.merges", merges.Select(m => $"{m.Left} {m.Right}").ToArray());
            yield break;
        }
        var prefix = GgufSentencePieces.Check(root);
        yield return ("tokenizer.ggml.model", "llama");
        yield return ("tokenizer.ggml.pre", "default");
        yield return ("tokenizer.ggml.tokens", tokens);
        bool IsAdded(int id) => types[id] is Unknown or Control or UserDefined;
        yield return ("tokenizer.ggml.scores", GgufSentencePieces.Scores(tokens, IsAdded, merges));
        yield return ("tokenizer.ggml.token_type", types);
        yield return ("tokenizer.ggml.add_space_prefix", prefix);
        if (model.Find("unk_token")?.GetString() is { } unknown && Array.IndexOf(tokens, unknown) is var id and >= 0)
            yield return ("tokenizer.ggml.unknown_token_id", (uint)id);
    }

    /// <summary>Tokens by id, and llama.cpp's numbers of their kinds.</summary>
    private static (string[] Tokens, int[] Types) Vocabulary(JsonElement root, int vocabularySize)
    {
        var model = root.GetProperty("model");
        var tokens = Enumerable.Range(0, vocabularySize).Select(i => $"[PAD{i}]").ToArray();
        var types = Enumerable.Repeat(Unused, vocabularySize).ToArray();
        void Put(JsonElement id, string token, int type)
        {
            var at = id.GetInt32();
            if (at < 0 || at >= vocabularySize)
                throw new FormatException($"its token '{token}' has the id {at}, but the model's embedding only {vocabularySize} rows");
            (tokens[at], types[at]) = (token, type);
        }
        var fallsBack = model.IsTrue("byte_fallback");
        foreach (var token in model.GetProperty("vocab").EnumerateObject())
            Put(token.Value, token.Name, fallsBack && IsByte(token.Name) ? Byte : Normal);
        var unknown = fallsBack ? model.Find("unk_token")?.GetString() : null;
        foreach (var token in root.Find("added_tokens") is { } added ? added.EnumerateArray().ToList() : [])
        {
            var content = token.GetProperty("content").GetString()!;
            foreach (var flag in new[] { "single_word", "lstrip", "rstrip" })
                if (token.IsTrue(flag)) throw new FormatException($"its token '{content}' has '{flag}', which has no place in GGUF");
            if (token.IsTrue("normalized") && root.Find("normalizer") is not null)
                throw new FormatException($"its token '{content}' is found in the normalized text, which has no place in GGUF");
            Put(token.GetProperty("id"), content, !token.IsTrue("special") ? UserDefined : content == unknown ? Unknown : Control);
        }
        return (tokens, types);
    }

    private static bool IsByte(string token) => token is ['<', '0', 'x', _, _, '>']
        && byte.TryParse(token.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out _);

    private static (string Left, string Right) Merge(JsonElement merge)
    {
        if (merge.ValueKind == JsonValueKind.Array) return (merge[0].GetString()!, merge[1].GetString()!);
        var text = merge.GetString()!;
        var blank = text.IndexOf(' ', StringComparison.Ordinal);
        return blank > 0 ? (text[..blank], text[(blank + 1)..]) : throw new FormatException($"its merge '{text}' is no pair");
    }

    private static IEnumerable<(string, object)> Special(string folder, JsonElement root, Tokenizer tokenizer)
    {
        if (tokenizer.BosId is { } bos) yield return ("tokenizer.ggml.bos_token_id", (uint)bos);
        if (tokenizer.EosId is { } eos) yield return ("tokenizer.ggml.eos_token_id", (uint)eos);
        if (tokenizer.PadId is { } pad) yield return ("tokenizer.ggml.padding_token_id", (uint)pad);
        // What is put around every text shows on an empty one.
        var around = tokenizer.Encode("", addSpecialTokens: true);
        if (around.Any(id => id != tokenizer.BosId && id != tokenizer.EosId) || around.Count > 2)
            throw new FormatException("its post-processor adds other tokens than BOS and EOS, which has no place in GGUF");
        var adds = root.Find("post_processor") is null ? [] : around;
        yield return ("tokenizer.ggml.add_bos_token", adds.Count > 0 && adds[0] == tokenizer.BosId);
        yield return ("tokenizer.ggml.add_eos_token", adds.Count > 0 && adds[^1] == tokenizer.EosId
            && (adds.Count > 1 || tokenizer.EosId != tokenizer.BosId));
        if (TokenizerFiles.ReadChatTemplate(folder) is { } template) yield return ("tokenizer.chat_template", template.Source);
    }
}
