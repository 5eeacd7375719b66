namespace Graft.Modeling.Tests.Chat;

public sealed class ChatTemplateTests
{
    [Theory]
    [InlineData("{% for i in range(1000000000) %}x{% endfor %}", "100000")]
    [InlineData("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{{ 'x' * 1000000000 }}", "too much text")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deep")]
    [InlineData("{% set ns = namespace(t='x' * 1000) %}{% for i in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}", "too much text")]
    [InlineData("{% set ns = namespace(t=[1]) %}{% for i in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}", "too much text")]
    [InlineData("{% set ns = namespace(t=[1]) %}{% for i in range(90) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t }}", "steps")]
    [InlineData("{% set ns = namespace(t=[1]) %}{% for i in range(5000) %}{% set ns.t = [ns.t] %}{% endfor %}{{ ns.t }}", "deep")]
    [InlineData("{% set ns = namespace(t=[1]) %}{% for i in range(5000) %}{% set ns.t = [ns.t] %}{% endfor %}{{ ns.t | tojson }}", "deep")]
    [InlineData("{% set t = 'a' * 1000000 %}{{ t.replace('a', t) }}", "too much text")]
    [InlineData("{% set t = 'a' * 4000000 %}{{ (t[:2000000] ~ 'b') in t }}", "too much text")]
    [InlineData("{{ 'x' | center(2000000000) }}", "too much text")]
    [InlineData("{{ 'x'.rjust(2000000000) }}", "too much text")]
    [InlineData("{{ '%2000000000d' % 1 }}", "width")]
    [InlineData("{% for i in [1] recursive %}{{ loop([i]) }}{% endfor %}", "deep")]
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
    public void A_long_message_takes_time_in_proportion_to_its_length()
    {
        var template = new ChatTemplate(
            "{% for m in messages %}{% if '</think>' in m.content %}{{ m.content.split('</think>')[-1].lstrip('\n') }}"
            + "{% else %}{{ m.content | trim }}{% endif %}{% endfor %}");
        var text = new string('é', 8_000_000);
        Assert.Equal(text, template.Render([new ChatMessage("user", text)], addGenerationPrompt: false));
    }

    [Fact]
    public void A_long_chain_of_operators_does_not_overflow_the_stack()
    {
        Assert.Equal("50001", new ChatTemplate("{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 50_000)) + " }}").Render([], false));
        Assert.Equal("x", new ChatTemplate("{{ 'x'" + string.Concat(Enumerable.Repeat(" | trim", 50_000)) + " }}").Render([], false));
        Assert.Equal("x", new ChatTemplate("{{ 'x'" + string.Concat(Enumerable.Repeat(".strip()", 50_000)) + " }}").Render([], false));
        Assert.Throws<ChatTemplateException>(() =>
            new ChatTemplate("{{ 1" + string.Concat(Enumerable.Repeat(" if 1", 200_000)) + " }}").Render([], false));
    }

    [Fact]
    public void The_assistants_turns_are_found_by_rendering_prefixes_where_a_template_marks_none()
    {
        var template = new ChatTemplate(
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}");
        var chat = template.RenderWithSpans([new("user", "Hi"), new("assistant", "Hö😀"), new("user", "And?"), new("assistant", "Bye")]);
        Assert.Equal(["Hö😀</>\n", "Bye</>\n"], chat.AssistantSpans.Select(s => chat.Text[s.Start..s.End]));
        var forgetful = new ChatTemplate("{{ messages | map(attribute='content') | last }}");
        Assert.Contains("message 1", Assert.Throws<ChatTemplateException>(
            () => forgetful.RenderWithSpans([new("assistant", "a"), new("user", "b")])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Marked_turns_win_over_prefixes_and_those_inside_a_captured_text_are_not_told()
    {
        var template = new ChatTemplate(
            "{% for m in messages %}{{ m.role }}:{% generation %}{{ m.content }}{% endgeneration %};{% endfor %}");
        Assert.Equal([(5, 7)], template.RenderWithSpans([new("user", "Hi")]).AssistantSpans);
        var captured = new ChatTemplate("{% set x %}{% generation %}a{% endgeneration %}{% endset %}{{ x }}");
        Assert.Empty(captured.RenderWithSpans([]).AssistantSpans);
    }

    [Fact]
    public void Tokens_count_from_the_one_with_a_spans_first_character_to_the_one_with_its_last()
    {
        var chat = new RenderedChat("abcdefgh", [(1, 3), (3, 3), (5, 6)]);
        Assert.Equal([false, true, true, false, true, false], chat.Mask([(0, 1), (1, 2), (2, 4), (4, 5), (5, 7), (7, 8)]));
        Assert.Equal([true, false], chat.Mask([(0, 4), (4, 5)]));
    }

    [Fact]
    public void Deeply_nested_templates_are_refused_rather_than_overflowing_the_stack()
    {
        foreach (var (open, close) in new[] { ("(", ")"), ("[", "]"), ("not ", ""), ("-", "") })
        {
            var nested = "{{ " + string.Concat(Enumerable.Repeat(open, 100_000)) + "1" + string.Concat(Enumerable.Repeat(close, 100_000))
                + " }}";
            Assert.Throws<ChatTemplateException>(() => new ChatTemplate(nested));
        }
        Assert.Throws<ChatTemplateException>(() => new ChatTemplate(string.Concat(Enumerable.Repeat("{% if 1 %}", 10_000))));
    }
}
