using System.Text.Json;

namespace Graft.Modeling.Tests.Chat;

/// <summary>
/// Small templates and what Jinja2 3.1.6 makes of them in an ImmutableSandboxedEnvironment set up as transformers does; an <c>error</c>
/// names its exception. The clock stands at 2026-03-05 14:07:09.
/// </summary>
public sealed class JinjaTests
{
    public static TheoryData<int, string> Lines
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var (number, line) in Read().Index()) data.Add(number,
                JsonDocument.Parse(line).RootElement.GetProperty("template").GetString()!);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void Prints_as_jinja2_does(int number, string template)
    {
        var expected = JsonDocument.Parse(Read()[number]).RootElement;
        string Render() => new ChatTemplate(template, clock: new StandingClock()).Render([], addGenerationPrompt: false);
        if (expected.TryGetProperty("text", out var text)) Assert.Equal(text.GetString(), Render());
        else Assert.Throws<ChatTemplateException>(Render);
    }

    private static string[] Read() => File.ReadAllLines(Path.Combine(Fixtures.Root, "tests", "Modeling.Tests", "Chat", "jinja2.jsonl"));

    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 3, 5, 14, 7, 9, TimeSpan.Zero);
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }
}
