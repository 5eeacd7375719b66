using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Graft.Contract.Tests;

/// <summary>Methods as <c>job.json</c> has them: names, defaults, order.</summary>
public class MethodJsonTests
{
    private static Method Read(string json) => JsonSerializer.Deserialize(json, ContractJson.Compact.Method)!;

    private static string Write(Method method) => JsonSerializer.Serialize(method, ContractJson.Compact.Method);

    [Fact]
    public void The_members_have_the_names_that_the_API_gives_them() =>
        Assert.Equal(["lora", "promptTuning", "pTuning", "prefixTuning", "bottleneck", "ia3", "full"],
            ((JsonTypeInfo)ContractJson.Compact.Method).Properties.Select(p => p.Name));

    public static TheoryData<string, Method> Defaults => new()
    {
        { """{"lora": {"targets": {"allLinear": {}}}}""", new() { Lora = new(new() { AllLinear = new() }) } },
        { """{"promptTuning": {}}""", new() { PromptTuning = new() } },
        { """{"pTuning": {}}""", new() { PTuning = new() } },
        { """{"pTuning": {"encoder": {"lstm": {}}}}""", new() { PTuning = new(Encoder: new() { Lstm = new() }) } },
        { """{"prefixTuning": {"projection": {}}}""", new() { PrefixTuning = new(Projection: new()) } },
        { """{"bottleneck": {}}""", new() { Bottleneck = new() } },
        { """{"ia3": {}}""", new() { Ia3 = new() } },
        { """{"full": {}}""", new() { Full = new() } },
    };

    [Theory]
    [MemberData(nameof(Defaults))]
    public void What_JSON_leaves_out_is_what_a_constructor_leaves_out(string json, Method method) =>
        Assert.Equal(Write(method), Write(Read(json)));

    [Theory]
    [InlineData("""{"promptTuning":{"virtualTokens":20}}""")]
    [InlineData("""{"promptTuning":{"virtualTokens":8,"initialization":{"text":"Sort it."}}}""")]
    [InlineData("""{"promptTuning":{"virtualTokens":8,"initialization":{"random":{}}}}""")]
    [InlineData("""{"promptTuning":{"virtualTokens":8,"initialization":{"sampledVocabulary":{}}}}""")]
    [InlineData("""{"pTuning":{"virtualTokens":20,"encoder":{"mlp":{"hiddenSize":64}}}}""")]
    [InlineData("""{"pTuning":{"virtualTokens":20,"encoder":{"lstm":{"hiddenSize":64,"layers":2,"dropout":0.1}}}}""")]
    [InlineData("""{"prefixTuning":{"virtualTokens":20,"projection":{"hiddenSize":64}}}""")]
    [InlineData("""{"ia3":{"targets":{"modules":["k_proj","down_proj"],"feedForward":["down_proj"]}}}""")]
    [InlineData("""{"bottleneck":{"placement":"Parallel","reductionFactor":4,"activation":"Gelu","scaling":2,"dropout":0.1}}""")]
    [InlineData("""{"lora":{"targets":{"modules":["q_proj"]},"rank":4,"alpha":8,"dropout":0,"rsLora":false,"dora":true"""
        + ""","initialization":"Pissa","loraPlusRatio":16,"bias":"LoraOnly","layers":[0,2],"rankPattern":{"z":2,"a":3}"""
        + ""","alphaPattern":{"b":1.5},"modulesToSave":["lm_head"]}}""")]
    public void Every_option_survives_the_round_trip(string json) => Assert.Equal(json, Write(Read(json)));

    /// <summary>The first that fits counts, so that another order is another method.</summary>
    [Fact]
    public void Patterns_stay_in_the_order_that_they_are_written_in()
    {
        var names = Enumerable.Range(0, 64).Select(i => $"p{(i * 37) % 64}").ToList();
        var pattern = string.Join(", ", names.Select(n => $"\"{n}\": 1"));
        var json = """{"lora": {"targets": {"allLinear": {}}, "rankPattern": {HERE}}}""".Replace("HERE", pattern, StringComparison.Ordinal);

        Assert.Equal(names, Read(json).Lora!.RankPattern.Keys);
        Assert.Equal(names, Read(Write(Read(json))).Lora!.RankPattern.Keys);
    }

    [Fact]
    public void Facts_of_an_older_artifact_have_no_patterns_and_no_modules_to_save()
    {
        var facts = JsonSerializer.Deserialize("""
            {"method": "lora", "rank": 8, "dtype": "F32", "trainableParameters": 1, "baseDigest": "sha256:0", "targets": ["q_proj"]}
            """, ContractJson.Compact.AdapterFacts)!;

        Assert.Empty(facts.ModulesToSave);
        Assert.Equal(["q_proj"], facts.Targets);
        Assert.False(facts.HasPatterns || facts.Dora || facts.Mergeable);
    }
}
