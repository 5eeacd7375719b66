using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Graft.Modeling.Chat;
using Graft.Modeling.Tokenizers;

namespace Graft.Modeling.Tests.Chat;

/// <summary>What transformers' <c>apply_chat_template</c> gives (tests/fixtures/chat/README.md).</summary>
public sealed class ChatFixtureTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("graft-chat-");

    public static TheoryData<string> Cases => FixtureSets.Cases("chat", "cases.jsonl");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Renders_as_transformers_does(string name)
    {
        foreach (var (template, @case) in Read(name))
        {
            if (@case.TryGetProperty("error", out var error))
            {
                var thrown = Assert.Throws<ChatTemplateException>(() => Render(template, @case));
                if (@case.GetProperty("error_type").GetString() == "TemplateError") Assert.Equal(error.GetString(), thrown.Message);
            }
            else Assert.Equal(@case.GetProperty("text").GetString(), Render(template, @case).Text);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Marks_the_assistants_part_as_transformers_does(string name)
    {
        foreach (var (template, @case) in Read(name))
        {
            if (!@case.TryGetProperty("assistant_spans", out var wanted)) continue;
            var rendered = Render(template, @case);
            Assert.True(template.MarksAssistant);
            Assert.Equal(
                wanted.EnumerateArray().Select(s => (s[0].GetInt32(), s[1].GetInt32())),
                rendered.AssistantSpans.Select(s => (Points(rendered.Text, s.Start), Points(rendered.Text, s.End))));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Counts_the_assistants_tokens_as_transformers_does(string name)
    {
        var tokenizer = new Lazy<ITokenizer>(() => TokenizerFiles.Read(TokenizerFolder(name).FullName, Config));
        foreach (var (template, @case) in Read(name))
        {
            if (!@case.TryGetProperty("assistant_masks", out var masks)) continue;
            var rendered = Render(template, @case);
            var ids = tokenizer.Value.Encode(rendered.Text);
            Assert.Equal(@case.GetProperty("input_ids").EnumerateArray().Select(i => i.GetInt32()), ids);
            Assert.Equal(masks.EnumerateArray().Select(m => m.GetInt32() == 1), rendered.Mask(Offsets(tokenizer.Value, ids, rendered.Text)));
        }
    }

    /// <summary>Only its vocabulary's size counts here.</summary>
    private static ModelConfig Config => ModelConfigReader.FromFolder(Fixtures.Path("models", "llama")) with { VocabularySize = 100_000 };

    /// <summary>The group's tokenizer, and the tokens that the case adds to it.</summary>
    private DirectoryInfo TokenizerFolder(string name)
    {
        var json = JsonNode.Parse(File.ReadAllBytes(FixtureSets.File("chat", "tokenizer.json")))!;
        var added = json["added_tokens"]!.AsArray();
        var ids = JsonNode.Parse(File.ReadAllBytes(Path.Combine(FixtureSets.Folder("chat", name), "tokens.json")))!["ids"]!.AsObject();
        foreach (var (token, id) in ids)
        {
            if (added.Any(a => (string)a!["content"]! == token)) continue;
            added.Add(new JsonObject
            {
                ["id"] = (int)id!, ["content"] = token, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false,
                ["special"] = true,
            });
        }
        File.WriteAllText(Path.Combine(folder.FullName, "tokenizer.json"), json.ToJsonString());
        return folder;
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>Of each token, the characters that it has a byte of; the tokens' bytes are the text's.</summary>
    private static List<(int Start, int End)> Offsets(ITokenizer tokenizer, IReadOnlyList<int> ids, string text)
    {
        var places = new List<(int Start, int End)>();
        for (var at = 0; at < text.Length;)
        {
            var rune = Rune.GetRuneAt(text, at);
            places.AddRange(Enumerable.Repeat((at, at + rune.Utf16SequenceLength), rune.Utf8SequenceLength));
            at += rune.Utf16SequenceLength;
        }
        var (offsets, from) = (new List<(int, int)>(), 0);
        foreach (var id in ids)
        {
            var length = tokenizer.BytesOf(id, skipSpecialTokens: false).Length;
            offsets.Add((places[from].Start, places[from + length - 1].End));
            from += length;
        }
        return offsets;
    }

    private static RenderedChat Render(ChatTemplate template, JsonElement @case) => template.Render(
        (List<object?>)JsonValues.Of(@case.GetProperty("messages"))!,
        @case.GetProperty("add_generation_prompt").GetBoolean(),
        @case.EnumerateObject().Where(p => p.Name is "tools" or "documents" or "enable_thinking").ToDictionary(p => p.Name, p =>
            JsonValues.Of(p.Value)));

    private static IEnumerable<(ChatTemplate Template, JsonElement Case)> Read(string name)
    {
        var folder = FixtureSets.Folder("chat", name);
        var tokens = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokens.json"))).RootElement.EnumerateObject()
            .Where(p => p.Value.ValueKind == JsonValueKind.String).ToDictionary(p => p.Name, p => p.Value.GetString()!);
        var template = new ChatTemplate(File.ReadAllText(Path.Combine(folder, "template.jinja")), tokens);
        return File.ReadAllText(Path.Combine(folder, "cases.jsonl")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => (template, JsonDocument.Parse(line).RootElement));
    }

    private static int Points(string text, int units) => text[..units].EnumerateRunes().Count();
}
