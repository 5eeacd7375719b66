using System.Text;
using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Jobs;
using Graft.Trainer.Runs;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Jobs;

/// <summary>What is refused of a method's options and of an objective before anything is opened.</summary>
public class MethodJobTests
{
    private static string Json(TrainingJob job) => JsonSerializer.Serialize(job, ContractJson.Compact.TrainingJob);

    private static TrainingJob Parse(TrainingJob job) => JobReader.Parse(Encoding.UTF8.GetBytes(Json(job)), "job.json");

    private static string Error(string json)
    {
        var error = Assert.Throws<RunFailedException>(() => JobReader.Parse(Encoding.UTF8.GetBytes(json), "job.json"));
        Assert.Equal(FailureClass.InvalidJob, error.Class);
        return error.Message;
    }

    private static TrainingJob With(Method method, int maxLength = 1024) =>
        Make.Job() with { Method = method, Data = Make.Job().Data with { MaxLength = maxLength } };

    private static TrainingJob Lora(Func<LoraMethod, LoraMethod> change) => With(new() { Lora = change(Make.Job().Method.Lora!) });

    private static TrainingJob Classifying(
        IReadOnlyList<string>? labels = null, DataColumns? columns = null, DataFormat format = DataFormat.Auto,
        IReadOnlyList<Metric>? metrics = null) => Make.Job() with
    {
        Objective = new() { Classification = new(labels) },
        Data = new([new("file:///rows.jsonl", "/rows.jsonl", format, columns)], new() { Split = new(0.1) }),
        Evaluation = metrics is null ? null : new(metrics),
    };

    private static readonly TrainingJob[] GoodJobs =
    [
        With(new() { PromptTuning = new() }),
        With(new() { PromptTuning = new(8, new() { Text = "Sort it." }) }, maxLength: 10),
        With(new() { PTuning = new(Encoder: new() { Lstm = new(64, 1) }) }),
        With(new() { PrefixTuning = new(4, new(32)) }),
        With(new() { Bottleneck = new(BottleneckPlacement.Houlsby, 1, BottleneckActivation.Tanh, 0.5, 0.1) }),
        With(new() { Ia3 = new(new(["k_proj", "down_proj"], ["down_proj"])) }),
        With(new() { Ia3 = new(new(["k_proj"], [])) }),
        With(new() { Full = new() }),
        Lora(l => l with
        {
            Targets = new() { Modules = ["embed_tokens", "q_proj"] },
            Dora = true,
            Initialization = LoraInitialization.Olora,
            LoraPlusRatio = 16,
            RankPattern = new Dictionary<string, int> { ["^model.layers.0.*"] = 4 },
            AlphaPattern = new Dictionary<string, double> { ["q_proj|k_proj"] = 0.5 },
            Bias = LoraBias.All,
            ModulesToSave = ["lm_head"],
            Layers = [0, 3],
        }),
        // The update of a quantised weight is computed from the weight widened.
        Lora(l => l with { Initialization = LoraInitialization.Pissa }) with
        {
            Model = new("file:///m", "/m", Quantization: new() { Nf4 = new() }),
        },
        Classifying(["yes", "no"], new(Text: "t", Label: "l"), metrics: [Metric.Loss, Metric.Accuracy]),
        Classifying(),
    ];

    public static TheoryData<string> Good => [.. GoodJobs.Select(Json)];

    [Theory]
    [MemberData(nameof(Good))]
    public void What_can_be_done_is_read_as_it_was_written(string json) =>
        Assert.Equal(json, Json(Parse(JsonSerializer.Deserialize(json, ContractJson.Compact.TrainingJob)!)));

    private static readonly (TrainingJob Job, string Message)[] ImpossibleJobs =
    [
        (With(new() { PTuning = new(), PromptTuning = new() }), "here are promptTuning and pTuning"),
        (Lora(l => l with { LoraPlusRatio = 0 }), "method.lora.loraPlusRatio: is 0; must be above 0"),
        (Lora(l => l with { RankPattern = new Dictionary<string, int> { ["q("] = 4 } }),
            "method.lora.rankPattern[\"q(\"]: is no regular expression"),
        (Lora(l => l with { RankPattern = new Dictionary<string, int> { ["q"] = 0 } }),
            "method.lora.rankPattern[\"q\"]: is 0; must be between 1 and 4096"),
        (Lora(l => l with { AlphaPattern = new Dictionary<string, double> { ["(?=q)"] = 1 } }), "method.lora.alphaPattern[\"(?=q)\"]: has"),
        (Lora(l => l with { AlphaPattern = new Dictionary<string, double> { ["q"] = -1 } }),
            "method.lora.alphaPattern[\"q\"]: is -1; must be above 0"),
        (Lora(l => l with { RankPattern = Enumerable.Range(0, 65).ToDictionary(i => $"l{i}", i => 1) }),
            "method.lora.rankPattern: has 65 entries"),
        (Lora(l => l with { ModulesToSave = ["lm_head", ""] }), "method.lora.modulesToSave[1]: must not be empty"),
        (Lora(l => l with { ModulesToSave = ["lm_head", "lm_head"] }), "method.lora.modulesToSave: names lm_head more than once"),
        (Lora(l => l with { Targets = new() { Modules = ["lm_head"] }, ModulesToSave = ["lm_head"] }),
            "method.lora.modulesToSave: names lm_head, which method.lora.targets.modules does too"),
        (Lora(l => l with { Layers = [] }), "method.lora.layers: has 0 entries"),
        (Lora(l => l with { Layers = [1, -1] }), "method.lora.layers[1]: is -1"),
        (Lora(l => l with { Layers = [1, 1] }), "method.lora.layers: names 1 more than once"),
        (With(new() { PromptTuning = new(0) }), "method.promptTuning.virtualTokens: is 0; must be between 1 and 4096"),
        (With(new() { PromptTuning = new(9) }, maxLength: 10), "method.promptTuning.virtualTokens: is 9, which leaves no room for text"),
        (With(new() { PTuning = new() }, maxLength: 21), "method.pTuning.virtualTokens: is 20, which leaves no room for text"),
        (With(new() { PrefixTuning = new(4097) }), "method.prefixTuning.virtualTokens: is 4097"),
        (With(new() { PromptTuning = new(Initialization: new()) }),
            "method.promptTuning.initialization: set exactly one of: random, sampledVocabulary, text"),
        (With(new() { PromptTuning = new(Initialization: new() { Text = "a", Random = new() }) }), "here are random and text"),
        (With(new() { PromptTuning = new(Initialization: new() { Text = " " }) }),
            "method.promptTuning.initialization.text: must not be empty"),
        (With(new() { PTuning = new(Encoder: new()) }), "method.pTuning.encoder: set exactly one of: mlp, lstm"),
        (With(new() { PTuning = new(Encoder: new() { Mlp = new(0) }) }), "method.pTuning.encoder.mlp.hiddenSize: is 0"),
        (With(new() { PTuning = new(Encoder: new() { Lstm = new(0, 0, 1) }) }), "method.pTuning.encoder.lstm.layers: is 0"),
        (With(new() { PTuning = new(Encoder: new() { Lstm = new(Layers: 1, Dropout: 0.1) }) }),
            "method.pTuning.encoder.lstm.dropout: is between layers"),
        (With(new() { PrefixTuning = new(Projection: new(0)) }), "method.prefixTuning.projection.hiddenSize: is 0"),
        (With(new() { Ia3 = new(new([], [])) }), "method.ia3.targets.modules: has 0 entries"),
        (With(new() { Ia3 = new(new(["k_proj"], ["down_proj"])) }), "method.ia3.targets.feedForward: names down_proj"),
        (With(new() { Bottleneck = new(ReductionFactor: 0.5) }), "method.bottleneck.reductionFactor: is 0.5"),
        (With(new() { Bottleneck = new(Scaling: 0) }), "method.bottleneck.scaling: is 0; must be above 0"),
        (With(new() { Bottleneck = new(Dropout: 1) }), "method.bottleneck.dropout: is 1"),
        (Classifying(["only"]), "objective.classification.labels: has 1 entries; must have 2"),
        (Classifying(["a", "b", "a"]), "objective.classification.labels: names a more than once"),
        (Classifying(["a", ""]), "objective.classification.labels[1]: must not be empty"),
        (Classifying() with { Objective = new() { Classification = new(), Generation = new() } }, "here are generation and classification"),
        (Classifying(columns: new(Text: "t")), "data.train[0].columns: name text and label"),
        (Classifying(columns: new(Text: "t", Label: "l", Prompt: "p")), "data.train[0].columns: name text and label"),
        (Classifying(format: DataFormat.Text), "data.train[0].format: is Text, which has no labels"),
        (Classifying(metrics: [Metric.ExactMatch]), "evaluation.metrics: ExactMatch needs objective.generation"),
        (Classifying(metrics: [Metric.Loss, Metric.Loss]), "evaluation.metrics: names Loss more than once"),
        (Classifying(metrics: [Metric.Accuracy]) with { Objective = new() { Generation = new() } },
            "evaluation.metrics: Accuracy needs objective.classification"),
        (Classifying(columns: new(Text: "t", Label: "l")) with { Objective = new() { Generation = new() } },
            "data.train[0].columns.label: needs objective.classification"),
    ];

    public static TheoryData<string, string> Impossible
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var (job, message) in ImpossibleJobs) cases.Add(Json(job), message);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Impossible))]
    public void An_impossible_option_is_an_error_that_names_the_field(string json, string expected) =>
        Assert.Contains(expected, Error(json), StringComparison.Ordinal);

    public static TheoryData<string, string> Misshapen => new()
    {
        { """{"lora": {"targets": {"modules": [null]}}}""", "method.lora.targets.modules[0]: must not be null" },
        { """{"lora": {"targets": {"allLinear": {}}, "rankPattern": []}}""", "method.lora.rankPattern: is a list; must be an object" },
        { """{"lora": {"targets": {"allLinear": {}}, "rankPattern": {"q.*": "8"}}}""", "method.lora.rankPattern[\"q.*\"]: is \"8\"" },
        { """{"lora": {"targets": {"allLinear": {}}, "alphaPattern": {"q": null}}}""",
            "method.lora.alphaPattern[\"q\"]: must not be null" },
        { """{"lora": {"targets": {"allLinear": {}}, "layers": [1.5]}}""", "method.lora.layers[0]: is 1.5; must be a whole number" },
        { """{"lora": {"targets": {"allLinear": {}}, "initialization": "pissa"}}""", "must be one of Default, Gaussian, Pissa, Olora" },
        { """{"ia3": {"targets": {"modules": ["k_proj"]}}}""", "method.ia3.targets.feedForward: is missing" },
        { """{"ptuning": {}}""", "method.ptuning: unknown field; the fields here are lora, promptTuning, pTuning" },
    };

    [Theory]
    [MemberData(nameof(Misshapen))]
    public void A_method_of_another_shape_is_an_error_that_names_the_place(string method, string expected)
    {
        var json = Json(Make.Job());
        var old = JsonSerializer.Serialize(Make.Job().Method, ContractJson.Compact.Method);
        Assert.Contains(old, json, StringComparison.Ordinal);

        Assert.Contains(expected, Error(json.Replace(old, method, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_error_of_a_method_comes_at_once()
    {
        var error = Error(Json(Lora(l => new(new(), 0, 0, 1, LoraPlusRatio: -1, Layers: [])
        {
            RankPattern = new Dictionary<string, int> { ["("] = 0 },
            ModulesToSave = [""],
        })));

        foreach (var field in new[] { "rank:", "alpha:", "dropout:", "loraPlusRatio:", "targets:", "layers:", "modulesToSave[0]:" })
            Assert.Contains("method.lora." + field, error, StringComparison.Ordinal);
        Assert.Equal(2, error.Split("method.lora.rankPattern[\"(\"]: is ").Length - 1);
    }
}
