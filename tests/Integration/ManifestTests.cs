using System.Net;
using System.Text.Json.Nodes;
using Graft.Integration.Harness;

namespace Graft.Integration;

/// <summary>What the API refuses before any controller sees it. Needs no pods.</summary>
[Collection(ClusterTests.Name)]
public sealed class ManifestTests(Cluster cluster) : IAsyncLifetime
{
    private TestNamespace _space = null!;

    public async Task InitializeAsync() => _space = await TestNamespace.CreateAsync(cluster);

    public async Task DisposeAsync() => await _space.DisposeAsync();

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
        { "spec.method.lora.rank", "0", "spec.method.lora.rank" },
        { "spec.method.lora.rank", "\"eight\"", "spec.method.lora.rank" },
        { "spec.model.precision", "\"bf16\"", "spec.model.precision" },
        { "spec.training.duration", "{\"steps\": 1, \"epochs\": 1}", "spec.training.duration" },
        { "spec.training.batchSize", "0", "spec.training.batchSize" },
        { "spec.training.schedule", "{\"cosine\": {}, \"linear\": {}}", "spec.training.schedule" },
    };

    [Theory]
    [MemberData(nameof(WrongFineTuneJobs))]
    public async Task A_wrong_FineTuneJob_is_refused_by_the_name_of_its_field(string path, string? json, string named)
    {
        var answer = await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), TestNamespace.FineTuneJob("wrong").With(path, json));

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

    [Theory]
    [MemberData(nameof(WrongAdapterDeployments))]
    public async Task A_wrong_AdapterDeployment_is_refused_by_the_name_of_its_field(string path, string? json, string named)
    {
        var wrong = TestNamespace.AdapterDeployment("wrong", "nothing");
        if (path.StartsWith("spec.adapters.0.", StringComparison.Ordinal))
            wrong["spec"]!["adapters"]![0]![path.Split('.')[^1]] = JsonNode.Parse(json!);
        else
            wrong = wrong.With(path, json);

        var answer = await cluster.Api.CreateAsync(Api.AdapterDeployments(_space.Name), wrong);

        Assert.Contains(answer.Status, new[] { HttpStatusCode.UnprocessableEntity, HttpStatusCode.BadRequest });
        Assert.Contains(named, answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_adapters_of_one_name_are_refused()
    {
        var twice = TestNamespace.AdapterDeployment("twice", "nothing");
        twice["spec"]!["adapters"]!.AsArray().Add(twice["spec"]!["adapters"]![0]!.DeepClone());

        var answer = await cluster.Api.CreateAsync(Api.AdapterDeployments(_space.Name), twice);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Contains("spec.adapters[1]", answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"spec": {"training": {"learningRate": 0.5}}}""")]
    [InlineData("""{"spec": {"method": {"lora": {"rank": 16}}}}""")]
    [InlineData("""{"spec": {"evaluation": {"metrics": ["Loss"]}}}""")]
    [InlineData("""{"spec": {"training": {"learningRate": null}}}""")]
    public async Task A_FineTuneJob_cannot_be_changed_into_another_run(string patch)
    {
        var path = $"{Api.FineTuneJobs(_space.Name)}/fixed";
        (await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), TestNamespace.FineTuneJob("fixed").With("spec.suspend", "true"))).Object();

        var answer = await cluster.Api.MergePatchAsync(path, patch);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Contains("cannot change: a new run is a new FineTuneJob", answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2e-4")]
    [InlineData("0.0002")]
    [InlineData("0")]
    [InlineData("1")]
    public async Task A_number_is_the_same_however_it_is_written_and_applying_it_again_changes_nothing(string number)
    {
        var path = $"{Api.FineTuneJobs(_space.Name)}/number";
        var job = TestNamespace.FineTuneJob("number").With("spec.suspend", "true").With("spec.method.lora.dropout", "0");
        job = job.With("spec.training.optimizer", "{\"adamw\": {\"weightDecay\": " + number + "}}");

        var first = (await cluster.Api.ApplyAsync(path, job)).Object();
        var again = (await cluster.Api.ApplyAsync(path, job)).Object();
        var dryRun = (await cluster.Api.ApplyAsync(path, job, query: "force=true&dryRun=All")).Object();

        Assert.Equal(first["spec"]!.ToJsonString(), again["spec"]!.ToJsonString());
        Assert.Equal(again["spec"]!.ToJsonString(), dryRun["spec"]!.ToJsonString());
        Assert.Equal(1, dryRun.At("metadata.generation")!.GetValue<int>());
    }

    [Fact]
    public async Task The_status_subresource_and_the_spec_do_not_write_each_other()
    {
        var path = $"{Api.FineTuneJobs(_space.Name)}/split";
        (await cluster.Api.CreateAsync(Api.FineTuneJobs(_space.Name), TestNamespace.FineTuneJob("split").With("spec.suspend", "true"))).Object();

        var patched = (await cluster.Api.MergePatchAsync(path, """{"status": {"phase": "Succeeded"}, "metadata": {"labels": {"a": "b"}}}""")).Object();

        Assert.NotEqual("Succeeded", patched.Text("status.phase"));
        Assert.Equal("b", patched.Text("metadata.labels.a"));
    }

    [Theory]
    [InlineData("finetunejobs", "Method,Phase,Progress,Loss,ETA,Age")]
    [InlineData("adapterdeployments", "Engine,Adapters,Replicas,Phase,Age")]
    public async Task A_list_prints_the_promised_columns(string plural, string columns)
    {
        var answer = await cluster.Api.SendAsync(
            HttpMethod.Get, $"{Api.Graft}/namespaces/{_space.Name}/{plural}", null, accept: "application/json;as=Table;v=v1;g=meta.k8s.io");

        var names = answer.Object()["columnDefinitions"]!.AsArray()
            .Where(c => c!["priority"]!.GetValue<int>() == 0)
            .Select(c => c.Text("name")!);
        Assert.Equal(("Name," + columns).ToUpperInvariant(), string.Join(',', names).ToUpperInvariant());
    }
}
