using System.Text.Json;
using Graft.Modeling.Chat;

namespace Graft.Modeling.Tests.Chat;

public sealed class ChatTemplateTests
{
    public static TheoryData<string> Templates => ["alpaca", "chatml", "real_llama3", "real_llama3_1", "real_qwen3", "tools_generation"];

    [SkippableTheory]
    [MemberData(nameof(Templates))]
    public void Renders_as_jinja_does(string name)
    {
        var folder = Fixtures.ChatTemplate(name);
        var tokens = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokens.json"))).RootElement.EnumerateObject()
            .Where(p => p.Value.ValueKind == JsonValueKind.String).ToDictionary(p => p.Name, p => p.Value.GetString()!);
        var template = new ChatTemplate(File.ReadAllText(Path.Combine(folder, "template.jinja")), tokens);
        foreach (var line in File.ReadAllText(Path.Combine(folder, "cases.jsonl")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var @case = JsonDocument.Parse(line).RootElement;
            var variables = new[] { "tools", "documents", "enable_thinking" }.Where(v => @case.TryGetProperty(v, out _))
                .ToDictionary(v => v, v => Value(@case.GetProperty(v)));
            string Render() => template.Render((List<object?>)Value(@case.GetProperty("messages"))!, @case.GetProperty("add_generation_prompt").GetBoolean(), variables);
            if (@case.TryGetProperty("error", out var error))
            {
                var thrown = Assert.Throws<ChatTemplateException>(Render);
                if (@case.GetProperty("error_type").GetString() == "TemplateError") Assert.Equal(error.GetString(), thrown.Message);
            }
            else
            {
                Assert.Equal(@case.GetProperty("text").GetString(), Render());
            }
        }
    }

    [Theory]
    [InlineData("{% for i in range(1000000000) %}x{% endfor %}", "100000")]
    [InlineData("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{{ 'x' * 1000000000 }}", "too long")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deep")]
    [InlineData("{{ messages.__class__.__mro__ }}", "undefined")]
    [InlineData("{{ ''.__class__() }}", "cannot be called")]
    [InlineData("{{ nothing.field }}", "undefined")]
    [InlineData("{{ raise_exception('Roles must alternate') }}", "Roles must alternate")]
    public void A_template_cannot_do_harm(string source, string message)
    {
        var template = new ChatTemplate(source);
        Assert.Contains(message, Assert.Throws<ChatTemplateException>(() => template.Render([], false)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% if x %}", "line 1")]
    [InlineData("a\nb\n{{ x", "line 3")]
    [InlineData("{{ x | nosuch }}", "nosuch")]
    [InlineData("{% include 'x' %}", "include")]
    [InlineData("{% endif %}", "endif")]
    [InlineData("{{ 'open }}", "not closed")]
    public void A_broken_template_is_refused_with_its_place(string source, string message) =>
        Assert.Contains(message, Assert.Throws<ChatTemplateException>(() => new ChatTemplate(source)).Message, StringComparison.Ordinal);

    [Fact]
    public void Deeply_nested_templates_are_refused_rather_than_overflowing_the_stack()
    {
        foreach (var (open, close) in new[] { ("(", ")"), ("[", "]"), ("not ", ""), ("-", "") })
        {
            var nested = "{{ " + string.Concat(Enumerable.Repeat(open, 100_000)) + "1" + string.Concat(Enumerable.Repeat(close, 100_000)) + " }}";
            Assert.Throws<ChatTemplateException>(() => new ChatTemplate(nested));
        }
        Assert.Throws<ChatTemplateException>(() => new ChatTemplate(string.Concat(Enumerable.Repeat("{% if 1 %}", 10_000))));
    }

    internal static object? Value(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') < 0 ? (object)element.GetInt64() : element.GetDouble(),
        JsonValueKind.Array => element.EnumerateArray().Select(Value).ToList(),
        _ => ToMap(element),
    };

    private static Map ToMap(JsonElement element)
    {
        var map = new Map();
        foreach (var property in element.EnumerateObject()) map[property.Name] = Value(property.Value);
        return map;
    }
}
