using System.Text.Json.Nodes;
using Graft.Operator.Api;
using Graft.Operator.FineTuning;
using Graft.Operator.Generate;
using Graft.Operator.Local;
using Graft.Runtime;
using k8s.Models;
using Cluster = Graft.LocalCluster.LocalCluster;

namespace Graft.Operator.Tests;

/// <summary>An API server that serves our kinds, without anything that acts on them.</summary>
public sealed class ApiWithOurKinds : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-crds-").FullName;
    private Cluster? _cluster;

    public ApiClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _cluster = await Cluster.StartAsync(new() { StateFolder = _folder });
        Client = new ApiClient(_cluster.ClientConfiguration);
        foreach (var definition in GeneratedFiles.Definitions) await Client.ApplyAsync(definition);
        foreach (var definition in GeneratedFiles.Definitions)
        {
            var deadline = DateTime.UtcNow.AddSeconds(20);
            while (!IsEstablished(await Client.GetAsync<V1CustomResourceDefinition>(definition.Metadata.Name)))
            {
                Assert.True(DateTime.UtcNow < deadline, $"{definition.Metadata.Name} is not served");
                await Task.Delay(50);
            }
        }
    }

    private static bool IsEstablished(V1CustomResourceDefinition? definition) =>
        definition?.Status?.Conditions?.Any(c => c.Type == "Established" && c.Status == "True") == true;

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _cluster!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

public class CrdTests(ApiWithOurKinds api) : IClassFixture<ApiWithOurKinds>
{
    private static readonly WriteOptions Strict = new() { FieldManager = "test", FieldValidation = "Strict" };

    private static readonly ResourceKind Runs = new("graft.dev", "v1alpha1", "FineTuneJob", "finetunejobs", Namespaced: true);
    private static readonly ResourceKind Deployments = new("graft.dev", "v1alpha1", "AdapterDeployment", "adapterdeployments",
        Namespaced: true);

    private const string Run = """
        apiVersion: graft.dev/v1alpha1
        kind: FineTuneJob
        metadata: {name: NAME, namespace: default}
        spec:
          model: {source: pvc://models/tiny}
          data:
            train: [{source: pvc://datasets/train.jsonl}]
          method: {lora: {}}
          output: {pvc: {claimName: adapters}}
        """;

    private static JsonObject Manifest(string name, string? path = null, string? json = null)
    {
        var manifest = ManifestFolder.Parse("run.yaml", Run.Replace("NAME", name, StringComparison.Ordinal))[0].Object;
        if (path is not null) Set(manifest, path, json);
        return manifest;
    }

    private static void Set(JsonObject manifest, string path, string? json)
    {
        var parts = path.Split('.');
        var at = manifest;
        foreach (var part in parts[..^1])
        {
            if (at[part] is not JsonObject) at[part] = new JsonObject();
            at = (JsonObject)at[part]!;
        }
        if (json is null) at.Remove(parts[^1]);
        else at[parts[^1]] = JsonNode.Parse(json);
    }

    public static TheoryData<string, string?, string> Refusals() => new()
    {
        { "spec.method", "{}", "exactly one of: lora, promptTuning, pTuning, prefixTuning, bottleneck, ia3, full" },
        { "spec.model.quantization", "{}", "exactly one of: nf4, none" },
        { "spec.model.quantization", """{"nf4": {}, "none": {}}""", "exactly one of: nf4, none" },
        { "spec.method", """{"lora": {}, "full": {}}""",
            "exactly one of: lora, promptTuning, pTuning, prefixTuning, bottleneck, ia3, full" },
        { "spec.method", null, "spec.method" },
        { "spec.method", """{"lora": {"rang": 8}}""", "rang" },
        { "spec.method", """{"lora": {"rank": 0}}""", "spec.method.lora.rank" },
        { "spec.method", """{"lora": {"targets": {"allLinear": {}, "modules": ["q_proj"]}}}""", "exactly one of: allLinear, modules" },
        { "spec.objective", """{}""", "exactly one of: generation, classification" },
        { "spec.objective", """{"generation": {}, "classification": {}}""", "exactly one of: generation, classification" },
        { "spec.objective", """{"classification": {"labels": ["only"]}}""", "spec.objective.classification.labels" },
        { "spec.output", """{}""", "exactly one of: pvc" },
        { "spec.data.train", "[]", "spec.data.train" },
        { "spec.data.train", """[{"source": "pvc://d/t", "columns": {"prompt": "a"}}]""", "either prompt with completion" },
        { "spec.data.train", """[{"source": "pvc://d/t", "columns": {"label": "a"}}]""", "either prompt with completion" },
        { "spec.data.train", """[{"source": "pvc://d/t", "columns": {"text": "a", "label": "b"}}]""", "nothing else has a label" },
        { "spec.data.train", """[{"source": "pvc://d/t", "format": "Parquet"}]""", "Parquet" },
        { "spec.data.validation", """{"split": {"fraction": 1}}""", "spec.data.validation.split.fraction" },
        { "spec.data.validation", """{"split": {"fraction": 0.1}, "sources": [{"source": "pvc://d/v"}]}""",
            "exactly one of: split, sources" },
        { "spec.evaluation", """{"metrics": ["Loss"]}""", "evaluation needs data.validation" },
        { "spec.training.duration", """{"epochs": 1, "steps": 5}""", "exactly one of: epochs, steps" },
        { "spec.training.schedule", """{"cosine": {"warmupSteps": 1, "warmupFraction": 0.1}}""",
            "at most one of: warmupSteps, warmupFraction" },
        { "spec.training.microBatchSize", "64", "microBatchSize is at most batchSize" },
        { "spec.training.learningRate", "\"fast\"", "spec.training.learningRate" },
        { "spec.activeDeadline", "\"8 hours\"", "spec.activeDeadline" },
        { "spec.resources", """{"gpu": {"count": 2}}""", "spec.resources.gpu.count" },
        { "spec.surprise", "1", "surprise" },
    };

    public static TheoryData<string, string> RefusedMethods() => new()
    {
        { """{"lora": {"initialization": "pissa"}}""", "spec.method.lora.initialization" },
        { """{"lora": {"loraPlusRatio": 0}}""", "spec.method.lora.loraPlusRatio" },
        { """{"lora": {"rankPattern": [{"modules": "q_proj"}]}}""", "spec.method.lora.rankPattern[0].rank" },
        { """{"lora": {"rankPattern": [{"modules": "q", "rank": 1}, {"modules": "q", "rank": 2}]}}""", "no expression stands there twice" },
        { """{"lora": {"alphaPattern": [{"modules": "q", "alpha": 0}]}}""", "spec.method.lora.alphaPattern[0].alpha" },
        { """{"lora": {"layers": [-1]}}""", "spec.method.lora.layers[0]" },
        { """{"promptTuning": {"virtualTokens": 0}}""", "spec.method.promptTuning.virtualTokens" },
        { """{"promptTuning": {"virtualTokens": 1023}}""", "more leave no room for text" },
        { """{"pTuning": {"virtualTokens": 2000}}""", "more leave no room for text" },
        { """{"prefixTuning": {"virtualTokens": 4096}}""", "more leave no room for text" },
        { """{"promptTuning": {"initialization": {}}}""", "exactly one of: random, sampledVocabulary, text" },
        { """{"promptTuning": {"initialization": {"random": {}, "text": "a"}}}""", "exactly one of: random, sampledVocabulary, text" },
        { """{"pTuning": {"encoder": {"mlp": {}, "lstm": {}}}}""", "exactly one of: mlp, lstm" },
        { """{"pTuning": {"encoder": {"lstm": {"layers": 1, "dropout": 0.5}}}}""", "dropout is between layers" },
        { """{"prefixTuning": {"projection": {"hiddenSize": 0}}}""", "spec.method.prefixTuning.projection.hiddenSize" },
        { """{"ia3": {"targets": {"modules": ["k_proj"], "feedForward": ["up_proj"]}}}""", "feedForward names only what modules names" },
        { """{"bottleneck": {"placement": "Serial"}}""", "spec.method.bottleneck.placement" },
        { """{"bottleneck": {"reductionFactor": 0.5}}""", "spec.method.bottleneck.reductionFactor" },
        { """{"bottleneck": {"scaling": 0}}""", "spec.method.bottleneck.scaling" },
    };

    [Theory]
    [MemberData(nameof(RefusedMethods))]
    public Task A_method_that_is_wrong_is_refused_and_the_field_is_named(string method, string words) =>
        A_manifest_that_is_wrong_is_refused_and_the_field_is_named("spec.method", method, words);

    private static IEnumerable<string> Methods => new MethodSpec().Members.Select(m => m.Name);

    public static TheoryData<string> EachMethod() => [.. Methods];

    public static TheoryData<string, string> TwoMethods()
    {
        var pairs = new TheoryData<string, string>();
        foreach (var (first, i) in Methods.Select((m, i) => (m, i)))
        {
            foreach (var second in Methods.Skip(i + 1)) pairs.Add(first, second);
        }
        return pairs;
    }

    [Theory]
    [MemberData(nameof(TwoMethods))]
    public Task Two_methods_at_once_are_refused(string first, string second) =>
        A_manifest_that_is_wrong_is_refused_and_the_field_is_named("spec.method", $$$"""{"{{{first}}}": {}, "{{{second}}}": {}}""",
            "exactly one of: " + string.Join(", ", Methods));

    [Theory]
    [MemberData(nameof(EachMethod))]
    public async Task Each_method_can_be_asked_for_without_any_option(string method)
    {
        var json = $$$"""{"{{{method}}}":{}}""";
        var stored = await api.Client.Resource(Runs).ApplyAsync(Manifest($"just-{method.ToLowerInvariant()}", "spec.method", json), Strict);
        Assert.Equal(json, stored["spec"]!["method"]!.ToJsonString());
    }

    [Theory]
    [InlineData("Accuracy", """{"generation": {}}""", "Accuracy needs objective.classification")]
    [InlineData("ExactMatch", """{"classification": {}}""", "ExactMatch needs objective.generation")]
    [InlineData("Accuracy", """{"classification": {}}""", null)]
    [InlineData("ExactMatch", """{"generation": {}}""", null)]
    public async Task A_metric_is_for_one_objective(string metric, string objective, string? words)
    {
        var manifest = Manifest("metric", "spec.objective", objective);
        Set(manifest, "spec.data.validation", """{"split": {"fraction": 0.1}}""");
        Set(manifest, "spec.evaluation", $$$"""{"metrics": ["Loss", "{{{metric}}}"]}""");
        var apply = () => api.Client.Resource(Runs).ApplyAsync(manifest, Strict with { DryRun = true });
        if (words is null) await apply();
        else Assert.Contains(words, (await Assert.ThrowsAsync<ApiException>(apply)).Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task To_classify_columns_name_text_and_label()
    {
        var manifest = Manifest("labels", "spec.objective", """{"classification": {"labels": ["b", "a"]}}""");
        Set(manifest, "spec.data.train", """[{"source": "pvc://d/t", "columns": {"text": "a", "label": "b"}}]""");
        var stored = await api.Client.Resource(Runs).ApplyAsync(manifest, Strict);
        Assert.Equal("""["b","a"]""", stored["spec"]!["objective"]!["classification"]!["labels"]!.ToJsonString());

        Set(manifest, "spec.data.train", """[{"source": "pvc://d/t", "columns": {"text": "a"}}]""");
        manifest["metadata"]!["name"] = "unlabelled";
        var error = await Assert.ThrowsAsync<ApiException>(() => api.Client.Resource(Runs).ApplyAsync(manifest, Strict));
        Assert.Contains("learns from text and label", error.Status.Message, StringComparison.Ordinal);
    }

    /// <summary>As <c>local</c> applies them.</summary>
    [Fact]
    public async Task There_is_a_sample_for_each_method_and_all_of_them_are_taken()
    {
        var manifests = ManifestFolder.Read(Path.Combine(Golden.Repository(), "samples", "methods"));
        await new ManifestApplier(api.Client).ApplyAsync(manifests, CancellationToken.None);
        var named = new List<string>();
        foreach (var manifest in manifests.Where(m => m.Kind == nameof(FineTuneJob)))
        {
            var stored = await api.Client.GetAsync<FineTuneJob>(manifest.Name, "default");
            Assert.NotNull(stored);
            stored.Metadata.Uid = "uid";
            var (spec, errors) = TrainerJobSpec.Build(stored, new() { AllowFiles = true, FileRoot = "/sample" });
            Assert.Empty(errors);
            Assert.Equal(Path.GetFileNameWithoutExtension(manifest.File), stored.Spec.Method.Name);
            Assert.NotNull(spec);
            named.Add(stored.Spec.Method.Name!);
        }
        Assert.Equal(Methods.Order(), named.Order());
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_manifest_that_is_wrong_is_refused_and_the_field_is_named(string path, string? json, string words)
    {
        var error = await Assert.ThrowsAsync<ApiException>(
            () => api.Client.Resource(Runs).ApplyAsync(Manifest("refused", path, json), Strict));
        Assert.Contains(words, error.Status.Message, StringComparison.Ordinal);
        Assert.Null(await api.Client.Resource(Runs).GetAsync("refused", "default"));
    }

    public static TheoryData<string, string, string?> Changes() => new()
    {
        { "spec.model.source", "\"pvc://models/other\"", "model cannot change" },
        { "spec.training.batchSize", "8", "training cannot change" },
        { "spec.activeDeadline", "\"8h\"", "activeDeadline cannot change" },
        { "spec.resources", """{"cpu": "2"}""", "resources cannot change" },
        { "spec.trainer", """{"image": "x"}""", "trainer cannot change" },
        { "spec.suspend", "true", null },
        { "spec.ttlAfterFinished", """{"failed": "1h"}""", null },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Only_what_may_change_can_change(string path, string json, string? words)
    {
        var name = "change-" + path.Split('.')[1].ToLowerInvariant();
        var client = api.Client.Resource(Runs);
        await client.ApplyAsync(Manifest(name), Strict);
        await client.ApplyAsync(Manifest(name), Strict);
        var change = () => client.ApplyAsync(Manifest(name, path, json), Strict);
        if (words is null) await change();
        else Assert.Contains(words, (await Assert.ThrowsAsync<ApiException>(change)).Status.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2e-4")]
    [InlineData("0.0002")]
    [InlineData("0")]
    public async Task A_fraction_is_the_same_number_however_it_is_written(string number)
    {
        var name = "number-" + number.Replace(".", "-", StringComparison.Ordinal);
        var yaml = Run.Replace("NAME", name, StringComparison.Ordinal) + $"\n  training: {{learningRate: {number}}}\n";
        var client = api.Client.Resource(Runs);
        var first = await client.ApplyAsync(ManifestFolder.Parse("run.yaml", yaml)[0].Object, Strict);
        var again = await client.ApplyAsync(ManifestFolder.Parse("run.yaml", yaml)[0].Object, Strict);
        Assert.Equal((string?)first["metadata"]!["resourceVersion"], (string?)again["metadata"]!["resourceVersion"]);
        Assert.Equal(number == "0" ? 0 : 0.0002, first["spec"]!["training"]!["learningRate"]!.GetValue<double>());
    }

    [Fact]
    public async Task Defaults_fill_in_what_one_constant_is_right_for()
    {
        var stored = await api.Client.Resource(Runs).ApplyAsync(Manifest("defaults"), Strict);
        Assert.Equal(
            """{"batchSize":32,"duration":{"epochs":3},"maxGradNorm":1,"optimizer":{"adamw":{"weightDecay":0}}"""
            + ""","schedule":{"cosine":{"warmupFraction":0.03}},"seed":0}""",
            Sorted(stored["spec"]!["training"]!));
        Assert.Equal("""{"generation":{"learnFrom":"Completion"}}""", stored["spec"]!["objective"]!.ToJsonString());
        Assert.Equal("""{"infrastructure":{"limit":3}}""", stored["spec"]!["retries"]!.ToJsonString());
        Assert.Equal("""{"lora":{}}""", stored["spec"]!["method"]!.ToJsonString());

        static string Sorted(JsonNode node) =>
            "{" + string.Join(",", ((JsonObject)node).OrderBy(p => p.Key, StringComparer.Ordinal)
                .Select(p => $"\"{p.Key}\":{p.Value!.ToJsonString().Replace("1.0", "1", StringComparison.Ordinal)}")) + "}";
    }

    [Fact]
    public async Task A_deployment_may_change_what_it_serves_but_not_its_base_model()
    {
        var client = api.Client.Resource(Deployments);
        JsonObject Deployment(string model, string adapters) => ManifestFolder.Parse("d.yaml", $$"""
            apiVersion: graft.dev/v1alpha1
            kind: AdapterDeployment
            metadata: {name: support, namespace: default}
            spec:
              model: {source: {{model}}}
              adapters: {{adapters}}
            """)[0].Object;
        await client.ApplyAsync(Deployment("pvc://models/tiny", "[]"), Strict);
        await client.ApplyAsync(Deployment("pvc://models/tiny", "[{name: one, from: {fineTuneJobRef: {name: one}}}]"), Strict);
        var model = await Assert.ThrowsAsync<ApiException>(() => client.ApplyAsync(Deployment("pvc://models/other", "[]"), Strict));
        Assert.Contains("model cannot change", model.Status.Message, StringComparison.Ordinal);
        var both = "[{name: one, from: {fineTuneJobRef: {name: one}, artifact: {uri: 'pvc://a/b'}}}]";
        var union = await Assert.ThrowsAsync<ApiException>(() => client.ApplyAsync(Deployment("pvc://models/tiny", both), Strict));
        Assert.Contains("exactly one of: fineTuneJobRef, artifact", union.Status.Message, StringComparison.Ordinal);
        var twice = "[{name: one, from: {fineTuneJobRef: {name: a}}}, {name: one, from: {fineTuneJobRef: {name: b}}}]";
        await Assert.ThrowsAsync<ApiException>(() => client.ApplyAsync(Deployment("pvc://models/tiny", twice), Strict));
    }
}
