using System.Text.RegularExpressions;
using Graft.Modeling.Tokenizers.Gguf;
using Graft.Modeling.Tokenizers.Patterns;
using Graft.Modeling.Tokenizers.PreTokenizers;

namespace Graft.Modeling.Tests.Tokenizers;

public sealed class PatternTests
{
    public static TheoryData<string> Published =>
    [
        SplitPreTokenizer.Gpt2Pattern,
        .. GgufPreTokenizers.Find("llama-bpe")!.Value.Patterns, .. GgufPreTokenizers.Find("qwen2")!.Value.Patterns,
        .. GgufPreTokenizers.Find("gpt-4o")!.Value.Patterns, .. GgufPreTokenizers.Find("tekken")!.Value.Patterns,
        .. GgufPreTokenizers.Find("deepseek-coder")!.Value.Patterns, .. GgufPreTokenizers.Find("deepseek-v3")!.Value.Patterns,
    ];

    [Theory]
    [MemberData(nameof(Published))]
    public void In_the_basic_plane_published_patterns_match_as_dot_nets_own(string source)
    {
        // .NET leaves ſ out of (?i:'s); the rest of the alphabet below is understood alike.
        const string alphabet = "aZéΣжЯ日本ǅ0९½²  \n\r\t\u3000'stTrReEvVmMlLdD.,!?-—€$_/\\\u0301\u0327ⅣⒶ";
        var (own, theirs, random) = (new Pattern(source), new Regex(source, RegexOptions.CultureInvariant), new Random(7));
        for (var i = 0; i < 3000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            Assert.Equal(theirs.Matches(text).Select(m => (m.Index, m.Index + m.Length)), Found(own, text));
        }
    }

    [Theory]
    [InlineData(@"\p{L}+", "a\U00020000b 1", "0-4")]
    [InlineData(@"\p{N}{1,3}", "\U0001d7d8\U0001d7d9\U0001d7da\U0001d7db", "0-6 6-8")]
    [InlineData(@"[^\s\p{L}\p{N}]+", "x\U0001f600!y", "1-4")]
    [InlineData("[\U00010400-\U0001044f]+", "a\U00010400\U00010428b", "1-5")]
    [InlineData(@"(?i:'s)", "'S '\u017f", "0-2 3-5")]
    [InlineData(@"(?i:k)", "kK\u212a", "0-1 1-2 2-3")]
    [InlineData(@"(?<=a)b|(?<!a)c", "abcac", "1-2 2-3")]
    [InlineData(@"\s+$", "a  \nb ", "1-3 5-6")]
    [InlineData(@"a?+a", "aa a", "0-2")]
    [InlineData(@"[\p{L}&&[^\p{Han}]]+", "ab漢c", "0-2 3-4")]
    [InlineData(@" ?[^(\s|[.,!?…。，、।۔،])]+", "ab, cd", "0-2 3-6")]
    [InlineData(@"\d{1,3}(?=(?:\d{3})*\b)", "1234567", "0-1 1-4 4-7")]
    [InlineData(@"(?>a|ab)c", "abc ac", "4-6")]
    [InlineData(@".+?b", "aab\nb", "0-3")]
    [InlineData(@"x*", "xxa", "0-2 3-3")]
    [InlineData(@"[[:alpha:]]+|\x41|\x{1F600}", "aé1\U0001f600", "0-2 3-5")]
    public void Patterns_match_code_points(string source, string text, string found) =>
        Assert.Equal(found, string.Join(' ', Found(new Pattern(source), text).Select(m => $"{m.Start}-{m.End}")));

    [Theory]
    [InlineData("(a", "group")]
    [InlineData("a)", "')'")]
    [InlineData("[a", "']'")]
    [InlineData("[b-a]", "range")]
    [InlineData("*", "repeats nothing")]
    [InlineData(@"\q", @"\q")]
    [InlineData(@"\1", @"\1")]
    [InlineData(@"\p{Klingon}", "Klingon")]
    [InlineData("(a|bc)*", "one way")]
    [InlineData("(?<=ab)c", "looking back")]
    [InlineData("(?i:ss)", "'ss'")]
    [InlineData("a{2000}", "1000")]
    [InlineData("(?x)a", "(?x")]
    [InlineData("((((a{9}){9}){99}){99}){99}", "too large")]
    public void What_a_pattern_has_that_is_not_supported_is_refused_by_name(string source, string message) =>
        Assert.Contains(message, Assert.Throws<PatternException>(() => new Pattern(source)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_pattern_that_backtracks_without_end_is_stopped()
    {
        var pattern = new Pattern(string.Concat(Enumerable.Repeat("a*", 12)) + "b");
        Assert.Contains("backtracks", Assert.Throws<PatternException>(() => Found(pattern, new string('a', 300))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_pre_tokenizer_that_llama_cpp_names_can_be_made() =>
        Assert.All(GgufPreTokenizers.Names, name =>
            Assert.NotEmpty(GgufPreTokenizers.Find(name)!.Value.Patterns.Select(p => new Pattern(p)).ToList()));

    private static List<(int Start, int End)> Found(Pattern pattern, string text)
    {
        var found = new List<(int Start, int End)>();
        pattern.FindAll(text, found);
        return found;
    }
}
