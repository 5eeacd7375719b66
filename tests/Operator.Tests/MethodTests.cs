using System.Text.Json;
using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using k8s;

namespace Graft.Operator.Tests;

/// <summary>A method from a manifest to <c>job.json</c>.</summary>
public class MethodTests
{
    private static MethodSpec Read(string json) => KubernetesJson.Deserialize<MethodSpec>(json);

    private static string Written(string json) =>
        JsonSerializer.Serialize(MethodOptions.Of(Read(json)), ContractJson.Compact.Method);

    public static TheoryData<string> Members => [.. new MethodSpec().Members.Select(m => m.Name)];

    /// <summary>What is left out is the contract's default, not another one of the operator's.</summary>
    [Theory]
    [MemberData(nameof(Members))]
    public void A_method_without_options_has_the_defaults_of_the_contract(string method)
    {
        var json = $$$"""{"{{{method}}}": {}}""";
        var targets = method == "lora" ? """{"lora": {"targets": {"allLinear": {}}}}""" : json;
        var defaults = JsonSerializer.Deserialize(targets, ContractJson.Compact.Method)!;

        Assert.Equal(method, Read(json).Name);
        Assert.Equal(JsonSerializer.Serialize(defaults, ContractJson.Compact.Method), Written(json));
    }

    [Theory]
    [InlineData("""{"promptTuning":{"virtualTokens":8,"initialization":{"text":"Sort it."}}}""")]
    [InlineData("""{"promptTuning":{"virtualTokens":8,"initialization":{"random":{}}}}""")]
    [InlineData("""{"promptTuning":{"virtualTokens":8,"initialization":{"sampledVocabulary":{}}}}""")]
    [InlineData("""{"pTuning":{"virtualTokens":9,"encoder":{"mlp":{"hiddenSize":64}}}}""")]
    [InlineData("""{"pTuning":{"virtualTokens":9,"encoder":{"mlp":{}}}}""")]
    [InlineData("""{"pTuning":{"virtualTokens":9,"encoder":{"lstm":{"hiddenSize":64,"layers":3,"dropout":0.1}}}}""")]
    [InlineData("""{"prefixTuning":{"virtualTokens":7,"projection":{"hiddenSize":64}}}""")]
    [InlineData("""{"ia3":{"targets":{"modules":["k_proj","down_proj"],"feedForward":["down_proj"]}}}""")]
    [InlineData("""{"bottleneck":{"placement":"Parallel","reductionFactor":4,"activation":"Gelu","scaling":2,"dropout":0.1}}""")]
    [InlineData("""{"full":{}}""")]
    public void Options_go_into_the_job_as_they_are_written(string json) => Assert.Equal(json, Written(json));

    [Fact]
    public void All_of_LoRAs_options_go_into_the_job_and_patterns_keep_their_order() =>
        Assert.Equal(
            """{"lora":{"targets":{"modules":["q_proj"]},"rank":4,"alpha":8,"dropout":0.1,"rsLora":true,"dora":true"""
            + ""","initialization":"Olora","loraPlusRatio":16,"bias":"LoraOnly","layers":[2,0],"rankPattern":{"z":2,"a":3}"""
            + ""","alphaPattern":{"y":1.5,"b":2},"modulesToSave":["lm_head"]}}""",
            Written("""
                {"lora": {"rank": 4, "alpha": 8, "dropout": 0.1, "targets": {"modules": ["q_proj"]}, "rsLora": true, "dora": true,
                 "initialization": "Olora", "loraPlusRatio": 16, "bias": "LoraOnly", "layers": [2, 0], "modulesToSave": ["lm_head"],
                 "rankPattern": [{"modules": "z", "rank": 2}, {"modules": "a", "rank": 3}],
                 "alphaPattern": [{"modules": "y", "alpha": 1.5}, {"modules": "b", "alpha": 2}]}}
                """));

    [Fact]
    public void What_the_schema_cannot_say_is_said_all_at_once()
    {
        var errors = MethodValidation.Errors(Read("""
            {"lora": {"targets": {"allLinear": {}, "modules": ["lm_head", "lm_head"]}, "layers": [1, 1], "modulesToSave": ["lm_head"],
             "rankPattern": [{"modules": "q(", "rank": 2}, {"modules": "a", "rank": 3}, {"modules": "a", "rank": 4}],
             "alphaPattern": [{"modules": "(?=q)", "alpha": 2}]},
             "promptTuning": {"initialization": {"text": " ", "random": {}}},
             "pTuning": {"encoder": {}},
             "ia3": {"targets": {"modules": ["k", "k"], "feedForward": []}}}
            """)).Select(e => e.ToString()).ToList();

        Assert.Equal(
        [
            "spec.method: set exactly one of: lora, promptTuning, pTuning, prefixTuning, bottleneck, ia3, full",
            "spec.method.lora.targets: set exactly one of: allLinear, modules",
            "spec.method.lora.targets.modules: lm_head is there 2 times",
            "spec.method.lora.layers: 1 is there 2 times",
            "spec.method.lora.rankPattern[0].modules: 'q(' is no regular expression: InsufficientClosingParentheses at character 3",
            "spec.method.lora.rankPattern: a is there 2 times",
            "spec.method.lora.alphaPattern[0].modules: '(?=q)' has '(?=', which Python does not read the same way; use literals, '.',"
                + " [...], (...), (?:...), |, *, +, ?, {n,m} and the escapes of d, w, s, b and of punctuation",
            "spec.method.lora.modulesToSave: lm_head stands in targets.modules too; a module trains whole or is updated",
            "spec.method.promptTuning.initialization: set exactly one of: random, sampledVocabulary, text",
            "spec.method.promptTuning.initialization.text: write the text that the vectors begin as",
            "spec.method.pTuning.encoder: set exactly one of: mlp, lstm",
            "spec.method.ia3.targets.modules: k is there 2 times",
        ], errors);
    }

    [Fact]
    public void A_classification_learns_from_no_plain_text_file_and_names_no_label_or_metric_twice()
    {
        var errors = FineTuneJobValidation.Errors(Make.FineTuneJob(s => s with
        {
            Objective = new() { Classification = new() { Labels = ["a", "b", "a"] } },
            Data = new()
            {
                Train = [new() { Source = "pvc://d/a.csv" }, new() { Source = "pvc://d/b", Format = DataFileFormat.Text }],
                Validation = new() { Sources = [new() { Source = "pvc://d/c", Format = DataFileFormat.Text }] },
            },
            Evaluation = new() { Metrics = [EvaluationMetric.Loss, EvaluationMetric.Loss] },
        })).Select(e => e.Field);

        Assert.Equal(
        [
            "spec.data.train[1].format", "spec.data.validation.sources[0].format", "spec.evaluation.metrics",
            "spec.objective.classification.labels",
        ], errors.Order());
    }
}
