using System.Globalization;

namespace Graft.Contract.Tests;

public class ModulePatternsTests
{
    [Theory]
    [InlineData("q_proj", "model.layers.3.self_attn.q_proj", true)]
    [InlineData("proj", "model.layers.3.self_attn.q_proj", false)]
    [InlineData("q_proj", "model.layers.3.self_attn.q_proj.inner", false)]
    [InlineData("layers.3.self_attn.q_proj", "model.layers.3.self_attn.q_proj", true)]
    [InlineData("layers.3.self_attn.q_proj", "model.layers.13.self_attn.q_proj", false)]
    [InlineData(@"model\.layers\.\d+\.mlp\..*", "model.layers.17.mlp.up_proj", true)]
    [InlineData("^model.layers.0.mlp.up_proj", "model.layers.0.mlp.up_proj", true)]
    [InlineData("^layers.0.mlp.up_proj", "model.layers.0.mlp.up_proj", false)]
    [InlineData("k_proj|v_proj", "model.layers.0.self_attn.v_proj", true)]
    [InlineData("k_proj|v_proj", "model.layers.0.self_attn.v_projection", false)]
    [InlineData("[0-9]+.(?:q|k)_proj", "h.12.k_proj", true)]
    public void An_expression_matches_a_whole_path_or_all_that_follows_a_dot(string pattern, string path, bool matches)
    {
        Assert.Null(ModulePatterns.Problem(pattern));
        Assert.Equal(matches, ModulePatterns.Compile(pattern).IsMatch(path));
    }

    [Theory]
    [InlineData("", "must not be empty")]
    [InlineData("(", "is no regular expression")]
    [InlineData("a)(b", "is no regular expression")]
    [InlineData("a**", "is no regular expression")]
    [InlineData("[z-a]", "is no regular expression")]
    [InlineData("(?=q)q", "has '(?='")]
    [InlineData("(?<name>q)", "has '(?<'")]
    [InlineData("(?", "has '(?'")]
    [InlineData(@"(q)\1", @"has '\1'")]
    [InlineData(@"\p{L}", @"has '\p'")]
    [InlineData(@"\\\z", @"has '\z'")]
    [InlineData("[a-z-[q]]", "has '-['")]
    [InlineData("q{,3}", "has '{,'")]
    [InlineData("(a{1,900}){1,900}", "needs more states")]
    public void What_Python_reads_otherwise_or_what_is_no_expression_is_refused(string pattern, string problem) =>
        Assert.StartsWith(problem, ModulePatterns.Problem(pattern), StringComparison.Ordinal);

    [Theory]
    [InlineData(@"\\(a)?b")]
    [InlineData(@"\.\-\[")]
    [InlineData(@"(?:a)\(\?")]
    [InlineData("a{2}b{1,}c{1,3}")]
    public void Punctuation_that_is_escaped_is_no_special_form(string pattern) => Assert.Null(ModulePatterns.Problem(pattern));

    [Fact]
    public void An_expression_has_a_longest_length()
    {
        Assert.Null(ModulePatterns.Problem(new string('a', ModulePatterns.MaxLength)));
        Assert.Contains(ModulePatterns.MaxLength.ToString(CultureInfo.InvariantCulture),
            ModulePatterns.Problem(new string('a', ModulePatterns.MaxLength + 1)), StringComparison.Ordinal);
    }

    [Fact]
    public void An_expression_that_would_take_a_backtracking_matcher_for_ever_is_matched_at_once() =>
        Assert.DoesNotMatch(ModulePatterns.Compile("(a+)+b"), new string('a', 100_000));
}
