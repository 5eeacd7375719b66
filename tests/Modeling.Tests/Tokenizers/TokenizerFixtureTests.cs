using System.Text.Json;
using Graft.Modeling.Tokenizers.Gguf;

namespace Graft.Modeling.Tests.Tokenizers;

/// <summary>Against Hugging Face's tokenizers, on every golden tokenizer that is there.</summary>
public sealed class TokenizerFixtureTests
{
    public static TheoryData<string> Cases => FixtureSets.Cases("tokenizers", "cases.jsonl");

    public static TheoryData<string> PairCases => FixtureSets.Cases("tokenizers", "pairs.jsonl");

    public static TheoryData<string> GgufCases => FixtureSets.Cases("gguf", "model.gguf");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Texts_become_the_references_tokens_and_texts_again(string name)
    {
        var folder = FixtureSets.Folder("tokenizers", name);
        var tokenizer = TokenizerCases.Open(folder);
        var wrong = new List<string>();
        foreach (var @case in TokenizerCases.Lines(Path.Combine(folder, "cases.jsonl")))
        {
            var text = @case.Text("text");
            var (plain, special) = (tokenizer.EncodeDetailed(text, null, false, limited: true),
                tokenizer.EncodeDetailed(text, null, true, limited: true));
            if (tokenizer.Definition is { Truncation: null, Padding: null })
            {
                Compare(wrong, text, "ids", @case.Ints("ids"), tokenizer.Encode(text));
                Compare(wrong, text, "ids_special", @case.Ints("ids_special"), tokenizer.Encode(text, addSpecialTokens: true));
            }
            Compare(wrong, text, "ids with offsets", @case.Ints("ids"), plain.Ids);
            Compare(wrong, text, "tokens", @case.Texts("tokens"), plain.Tokens);
            Compare(wrong, text, "offsets", @case.Pairs("offsets"), plain.Offsets);
            Compare(wrong, text, "ids_special with offsets", @case.Ints("ids_special"), special.Ids);
            Compare(wrong, text, "offsets_special", @case.Pairs("offsets_special"), special.Offsets);
            Compare(wrong, text, "decoded", @case.Text("decoded"), tokenizer.Decode(@case.Ints("ids_special"), skipSpecialTokens: false));
            Compare(wrong, text, "decoded_skip", @case.Text("decoded_skip"), tokenizer.Decode(@case.Ints("ids_special")));
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differences:\n{string.Join('\n', wrong.Take(20))}");
    }

    [Theory]
    [MemberData(nameof(PairCases))]
    public void Pairs_become_the_references_tokens(string name)
    {
        var folder = FixtureSets.Folder("tokenizers", name);
        var tokenizer = TokenizerCases.Open(folder);
        var wrong = new List<string>();
        foreach (var @case in TokenizerCases.Lines(Path.Combine(folder, "pairs.jsonl")))
        {
            var text = @case.Text("text");
            var found = tokenizer.EncodeDetailed(text, @case.Text("pair"), true, limited: true);
            Compare(wrong, text, "ids", @case.Ints("ids"), found.Ids);
            Compare(wrong, text, "type_ids", @case.Ints("type_ids"), found.TypeIds);
            Compare(wrong, text, "offsets", @case.Pairs("offsets"), found.Offsets);
            Compare(wrong, text, "special_tokens_mask", @case.Ints("special_tokens_mask"), found.SpecialTokensMask);
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differences:\n{string.Join('\n', wrong.Take(20))}");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Streamed_parts_are_the_whole_text(string name)
    {
        var folder = FixtureSets.Folder("tokenizers", name);
        var tokenizer = TokenizerCases.Open(folder);
        foreach (var @case in TokenizerCases.Lines(Path.Combine(folder, "cases.jsonl")))
        {
            var decoder = new IncrementalDecoder(tokenizer);
            var parts = @case.Ints("ids_special").Select(decoder.Add).ToList();
            Assert.Equal(@case.Text("decoded_skip"), string.Concat(parts) + decoder.Finish());
        }
    }

    [Theory]
    [MemberData(nameof(GgufCases))]
    public void A_gguf_files_tokenizer_is_the_one_it_was_made_from(string name)
    {
        var kind = name[..name.LastIndexOf('-')];
        using var file = GgufFile.Open(Path.Combine(FixtureSets.Folder("gguf", name), "model.gguf"));
        var tokenizer = GgufTokenizer.Read(file, ModelConfigReader.FromGguf(file));
        var original = TokenizerCases.Parse(File.ReadAllText(FixtureSets.File("gguf", $"tokenizer-{kind}.json")));
        var wrong = new List<string>();
        foreach (var @case in TokenizerCases.Lines(FixtureSets.File("gguf", $"tokenize-{kind}.jsonl")))
        {
            var text = @case.Text("text");
            Compare(wrong, text, "ids", @case.Ints("ids"), tokenizer.Encode(text));
            Compare(wrong, text, "decoded", original.Decode(@case.Ints("ids")), tokenizer.Decode(@case.Ints("ids")));
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differences:\n{string.Join('\n', wrong.Take(20))}");
    }

    private static void Compare(List<string> wrong, string text, string what, string wanted, string found)
    {
        if (wanted != found) wrong.Add($"{Quoted(text)} {what}: wanted {Quoted(wanted)}, found {Quoted(found)}");
    }

    private static void Compare<T>(List<string> wrong, string text, string what, IReadOnlyList<T> wanted, IReadOnlyList<T> found)
    {
        if (wanted.SequenceEqual(found)) return;
        wrong.Add($"{Quoted(text)} {what}: wanted {string.Join(' ', wanted)}, found {string.Join(' ', found)}");
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text);
}
