using System.Text.Json;
using Graft.Modeling.Chat;

namespace Graft.Modeling.Tests.Chat;

/// <summary>What transformers' <c>apply_chat_template</c> gives (tests/fixtures/chat/README.md).</summary>
public sealed class ChatFixtureTests
{
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
