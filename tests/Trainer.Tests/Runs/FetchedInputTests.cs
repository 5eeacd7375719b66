using System.Diagnostics;
using System.Text.Json;
using Graft.Contract;
using Graft.Sources.Tests.Support;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Runs;

/// <summary>A run whose model and data are fetched, as a process.</summary>
[Collection(TorchCollection.Name)]
public sealed class FetchedInputTests : IDisposable
{
    private const string Source = "hf://org/model@main";
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_model_and_a_data_file_that_are_only_named_are_fetched_and_the_commit_is_recorded()
    {
        await using var hub = await HubDouble.StartAsync(Files());
        hub.Token = "hf_secret";
        folder.Write("secret/token", "hf_secret");
        var job = TinyJob.In(folder) with { Evaluation = null };
        job = job with
        {
            Model = new ModelInput(Source, Precision: Precision.F32, Credentials: folder["secret"]),
            Data = new DataInput([new DataSource(Source + "/train.jsonl", Credentials: folder["secret"])], MaxLength: 128),
        };

        var (code, output, result) = await TrainAsync(hub, job);

        Assert.True(code == 0, output);
        var manifest =
            JsonSerializer.Deserialize(File.ReadAllBytes(folder["artifact", "manifest.json"]), ContractJson.Default.ArtifactManifest)!;
        Assert.Equal((Source, HubDouble.Commit), (manifest.BaseModel.Source, manifest.BaseModel.Revision));
        Assert.Equal([Source + "/train.jsonl"], manifest.Dataset.Sources);
        Assert.Equal(result.Artifact!.Digest, Digests.OfFile(folder["artifact", "manifest.json"]));
        Assert.Contains("phase=Fetching", output, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_secret", output + File.ReadAllText(folder["artifact", "manifest.json"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hf://org/nothing@main", FailureClass.ModelError)]
    [InlineData("hf://org/model@v9", FailureClass.ModelError)]
    public async Task A_model_that_is_not_there_is_the_error_of_who_chose_it(string source, FailureClass failure)
    {
        await using var hub = await HubDouble.StartAsync(Files());

        var (code, output, result) = await TrainAsync(hub, TinyJob.In(folder) with { Model = new ModelInput(source) });

        Assert.Equal((ExitCodes.Of(failure), failure), (code, result.Failure!.Class));
        Assert.Contains(source, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_that_nobody_may_read_is_the_error_of_its_owner()
    {
        await using var hub = await HubDouble.StartAsync(Files());
        hub.Token = "hf_secret";
        var job = TinyJob.In(folder);

        var (code, _, _) = await TrainAsync(hub, job with { Data = job.Data with { Train = [new DataSource(Source + "/train.jsonl")] } });

        Assert.Equal(ExitCodes.Of(FailureClass.DataError), code);
    }

    [Fact]
    public async Task A_hub_that_asks_to_come_back_in_an_hour_is_the_machines_fault()
    {
        await using var hub = await HubDouble.StartAsync(Files());
        hub.InsteadOfHub = context =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "3600";
            return Task.FromResult(true);
        };

        var (code, _, result) = await TrainAsync(hub, TinyJob.In(folder) with { Model = new ModelInput(Source) });

        Assert.Equal((ExitCodes.Of(FailureClass.Infrastructure), FailureClass.Infrastructure), (code, result.Failure!.Class));
    }

    [Fact]
    public async Task A_place_that_is_neither_a_path_nor_a_source_is_a_wrong_job()
    {
        await using var hub = await HubDouble.StartAsync(Files());

        var (code, output, _) = await TrainAsync(hub, TinyJob.In(folder) with { Model = new ModelInput("hf://org/model@main/../x") });

        Assert.Equal(ExitCodes.Of(FailureClass.InvalidJob), code);
        Assert.Contains("model.path: is empty, and model.source cannot be fetched", output, StringComparison.Ordinal);
    }

    private Dictionary<string, byte[]> Files()
    {
        var files = Directory.GetFiles(Repository.Sample("quickstart", "model"))
            .ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes, StringComparer.Ordinal);
        TinyJob.In(folder);
        files["train.jsonl"] = File.ReadAllBytes(folder["train.jsonl"]);
        return files;
    }

    private async Task<(int Code, string Output, TrainingResult Result)> TrainAsync(HubDouble hub, TrainingJob job)
    {
        var start = new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "graft-trainer.dll"), .. TrainerProcess.Arguments(folder, job)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["GRAFT_TERMINATION_LOG"] = folder["termination"], ["GRAFT_CACHE_DIR"] = folder["cache"],
                ["HF_ENDPOINT"] = hub.Address.ToString(), ["GRAFT_SOURCE_LOOPBACK"] = "1",
            },
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        var result = JsonSerializer.Deserialize(File.ReadAllBytes(folder["termination"]), ContractJson.Default.TrainingResult)!;
        return (process.ExitCode, await output + await errors, result);
    }
}
