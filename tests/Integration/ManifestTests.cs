using System.Net;
using System.Text.Json.Nodes;
using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>What the API refuses before any controller sees it. Needs no pods.</summary>
public abstract class ManifestTests(Cluster cluster) : ClusterTests(cluster)
{
    public static TheoryData<string, string?, string> WrongFineTuneJobs => new()
    {
        { "spec.methd", "{}", "methd" },
        { "spec.model.sorce", "\"pvc://a/b\"", "sorce" },
        { "spec.model", null, "spec.model" },
        { "spec.output", null, "spec.output" },
        { "spec.data.train", null, "spec.data.train" },
        { "spec.data.train", "[]", "spec.data.train" },
        { "spec.method", "{}", "spec.method" },
        { "spec.method", "{\"lora\": {}, \"full\": {}}", "spec.method" },
        { "spec.method", "{\"lora\": {}, \"ia3\": {}}",
            "exactly one of: lora, promptTuning, pTuning, prefixTuning, bottleneck, ia3, full" },
        { "spec.method", "{\"promptTuning\": {\"initialization\": {\"random\": {}, \"text\": \"a\"}}}", "exactly one of: random" },
        { "spec.method", "{\"pTuning\": {\"encoder\": {\"mlp\": {}, \"lstm\": {}}}}", "exactly one of: mlp, lstm" },
        { "spec.method", "{\"prefixTuning\": {\"virtualTokens\": 1023}}", "leave no room for text" },
        { "spec.method.lora.rankPattern", "[{\"modules\": \"q\", \"rank\": 1}, {\"modules\": \"q\", \"rank\": 2}]",
            "no expression stands there twice" },
        { "spec.objective", "{\"generation\": {}, \"classification\": {}}", "exactly one of: generation, classification" },
        { "spec.objective", "{\"classification\": {\"labels\": [\"a\"]}}", "spec.objective.classification.labels" },
        { "spec.method.lora.rank", "0", "spec.method.lora.rank" },
        { "spec.method.lora.rank", "\"eight\"", "spec.method.lora.rank" },
        { "spec.model.precision", "\"bf16\"", "spec.model.precision" },
        { "spec.training.duration", "{\"steps\": 1, \"epochs\": 1}", "spec.training.duration" },
        { "spec.training.batchSize", "0", "spec.training.batchSize" },
        { "spec.training.schedule", "{\"cosine\": {}, \"linear\": {}}", "spec.training.schedule" },
    };

    [SkippableTheory]
    [MemberData(nameof(WrongFineTuneJobs))]
    public async Task A_wrong_FineTuneJob_is_refused_by_the_name_of_its_field(string path, string? json, string named)
    {
        var answer = await Api.CreateAsync(Api.FineTuneJobs(Space.Name), TestNamespace.FineTuneJob("wrong").With(path, json));

        Assert.Contains(answer.Status, new[] { HttpStatusCode.UnprocessableEntity, HttpStatusCode.BadRequest });
        Assert.Contains(named, answer.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string?, string> WrongAdapterDeployments => new()
    {
        { "spec.engine", "{}", "spec.engine" },
        { "spec.engine.gpu", "{}", "gpu" },
        { "spec.replicas", "-1", "spec.replicas" },
        { "spec.adapters.0.from", "{}", "spec.adapters[0].from" },
        { "spec.adapters.0.name", "\"Not A Name\"", "spec.adapters[0].name" },
        { "spec.model", null, "spec.model" },
    };

    [SkippableTheory]
    [MemberData(nameof(WrongAdapterDeployments))]
    public async Task A_wrong_AdapterDeployment_is_refused_by_the_name_of_its_field(string path, string? json, string named)
    {
        var wrong = TestNamespace.AdapterDeployment("wrong", "nothing");
        if (path.StartsWith("spec.adapters.0.", StringComparison.Ordinal))
            wrong["spec"]!["adapters"]![0]![path.Split('.')[^1]] = JsonNode.Parse(json!);
        else
            wrong = wrong.With(path, json);

        var answer = await Api.CreateAsync(Api.AdapterDeployments(Space.Name), wrong);

        Assert.Contains(answer.Status, new[] { HttpStatusCode.UnprocessableEntity, HttpStatusCode.BadRequest });
        Assert.Contains(named, answer.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Two_adapters_of_one_name_are_refused()
    {
        var twice = TestNamespace.AdapterDeployment("twice", "nothing");
        twice["spec"]!["adapters"]!.AsArray().Add(twice["spec"]!["adapters"]![0]!.DeepClone());

        var answer = await Api.CreateAsync(Api.AdapterDeployments(Space.Name), twice);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Contains("spec.adapters[1]", answer.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("""{"spec": {"training": {"learningRate": 0.5}}}""")]
    [InlineData("""{"spec": {"method": {"lora": {"rank": 16}}}}""")]
    [InlineData("""{"spec": {"evaluation": {"metrics": ["Loss"]}}}""")]
    [InlineData("""{"spec": {"training": {"learningRate": null}}}""")]
    public async Task A_FineTuneJob_cannot_be_changed_into_another_run(string patch)
    {
        var path = $"{Api.FineTuneJobs(Space.Name)}/fixed";
        (await Api.CreateAsync(Api.FineTuneJobs(Space.Name), TestNamespace.FineTuneJob("fixed").With("spec.suspend", "true"))).Object();

        var answer = await Api.MergePatchAsync(path, patch);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Contains("cannot change: a new run is a new FineTuneJob", answer.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("2e-4")]
    [InlineData("0.0002")]
    [InlineData("0")]
    [InlineData("1")]
    public async Task A_number_is_the_same_however_it_is_written_and_applying_it_again_changes_nothing(string number)
    {
        var path = $"{Api.FineTuneJobs(Space.Name)}/number";
        var job = TestNamespace.FineTuneJob("number").With("spec.suspend", "true").With("spec.method.lora.dropout", "0");
        job = job.With("spec.training.optimizer", "{\"adamw\": {\"weightDecay\": " + number + "}}");

        var first = (await Api.ApplyAsync(path, job)).Object();
        var again = (await Api.ApplyAsync(path, job)).Object();
        var dryRun = (await Api.ApplyAsync(path, job, query: "force=true&dryRun=All")).Object();

        Assert.Equal(first["spec"]!.ToJsonString(), again["spec"]!.ToJsonString());
        Assert.Equal(again["spec"]!.ToJsonString(), dryRun["spec"]!.ToJsonString());
        Assert.Equal(1, dryRun.At("metadata.generation")!.GetValue<int>());
    }

    [SkippableFact]
    public async Task The_status_subresource_and_the_spec_do_not_write_each_other()
    {
        var path = $"{Api.FineTuneJobs(Space.Name)}/split";
        (await Api.CreateAsync(Api.FineTuneJobs(Space.Name), TestNamespace.FineTuneJob("split").With("spec.suspend", "true"))).Object();

        var patched = (await Api.MergePatchAsync(path, """{"status": {"phase": "Succeeded"}, "metadata": {"labels": {"a": "b"}}}""")).Object();

        Assert.NotEqual("Succeeded", patched.Text("status.phase"));
        Assert.Equal("b", patched.Text("metadata.labels.a"));
    }

    [SkippableTheory]
    [InlineData("finetunejobs", "Method,Phase,Progress,Loss,ETA,Age")]
    [InlineData("adapterdeployments", "Engine,Adapters,Replicas,Phase,Age")]
    public async Task A_list_prints_the_promised_columns(string plural, string columns)
    {
        var answer = await Api.SendAsync(
            HttpMethod.Get, $"{Api.Graft}/namespaces/{Space.Name}/{plural}", null, accept: "application/json;as=Table;v=v1;g=meta.k8s.io");

        var names = answer.Object()["columnDefinitions"]!.AsArray()
            .Where(c => c!["priority"]!.GetValue<int>() == 0)
            .Select(c => c.Text("name")!);
        Assert.Equal(("Name," + columns).ToUpperInvariant(), string.Join(',', names).ToUpperInvariant());
    }
}

[Collection(OnEmbedded.Name)]
public sealed class ManifestTestsOnEmbedded(EmbeddedCluster cluster) : ManifestTests(cluster);

[Collection(OnForeign.Name)]
public sealed class ManifestTestsOnForeign(ForeignCluster cluster) : ManifestTests(cluster);
