using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Graft.Contract;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Runs;

/// <summary>The program as a process: what it leaves behind, how it ends, and what it says when it does.</summary>
[Collection(TorchCollection.Name)]
public sealed class TrainerProcessTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private IEnumerable<string?> Leftovers() => Directory.GetFileSystemEntries(folder.Path, ".*").Select(Path.GetFileName);

    [Fact]
    public void A_job_becomes_an_artifact_and_the_same_job_again_finds_it()
    {
        var job = TinyJob.In(folder);
        var (code, output, result) = TrainerProcess.Train(folder, job);

        Assert.True(code == 0, output);
        Assert.Null(result.Failure);
        Assert.Equal((3, false), (result.Steps, result.Reused));
        Assert.Equal(["baseExactMatch", "baseLoss", "exactMatch", "loss"], result.Artifact!.Metrics.Keys);
        // Pinned: the seed decides the adapter's first values and the order of the rows.
        Assert.Equal(10.583, result.Artifact.Metrics["baseLoss"], 0.01);
        Assert.Equal(7.5466, result.Loss!.Value, 0.01);
        Assert.Equal(6.2688, result.Artifact.Metrics["loss"], 0.02);
        Assert.Equal((0.004, Precision.F32), (result.Resolved!.LearningRate, result.Resolved.Precision));
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "manifest.json"],
            Directory.GetFiles(folder["artifact"]).Select(Path.GetFileName).Order());
        Assert.Equal(result.Artifact.Digest, Digests.OfFile(folder["artifact", "manifest.json"]));
        Assert.Empty(Leftovers());

        var again = TrainerProcess.Train(folder, job);

        Assert.Equal((0, true), (again.ExitCode, again.Result.Reused));
        Assert.Equal(result.Artifact.Digest, again.Result.Artifact!.Digest);
        Assert.DoesNotContain("LoadingModel", again.Output, StringComparison.Ordinal);

        var twin = TrainerProcess.Train(folder, job with { Output = new OutputTarget(folder["twin"], "pvc://adapters/twin") });

        Assert.Equal(0, twin.ExitCode);
        Assert.Equal(File.ReadAllBytes(folder["artifact", "adapter_model.safetensors"]),
            File.ReadAllBytes(folder["twin", "adapter_model.safetensors"]));
    }

    [Fact]
    public async Task Progress_metrics_and_health_are_served_while_it_trains_and_a_stop_ends_it()
    {
        var port = FreePort();
        var job = TinyJob.In(folder) with { Evaluation = null };
        job = job with { Training = job.Training with { Duration = new TrainingDuration { Steps = 1_000_000 } } };
        using var run = TrainerProcess.Start(folder, TrainerProcess.Arguments(folder, job, "--port", $"{port}"));
        await run.SaysAsync("step=1 ");
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        var progress = (await http.GetFromJsonAsync("/progress", ContractJson.Default.Progress))!;
        var metrics = await http.GetStringAsync("/metrics");

        Assert.Equal((TrainerPhase.Training, 1_000_000), (progress.Phase, progress.Steps));
        Assert.True(progress is { Step: > 0, Loss: > 0, TokensPerSecond: > 0, RemainingSeconds: > 0, PeakMemoryBytes: > 0 });
        Assert.True(progress is { FirstStepTime: not null, Resolved: not null });
        Assert.Contains("graft_training_phase{phase=\"Training\"} 1", metrics, StringComparison.Ordinal);
        Assert.Equal("ok\n", await http.GetStringAsync("/health"));
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/")).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.PostAsync("/progress", null)).StatusCode);

        // A page that was led here under a name of its own (DNS rebinding) learns nothing; a Service, a proxy and an address do.
        foreach (var path in (string[])["/progress", "/metrics", "/health"])
        {
            Assert.Equal(HttpStatusCode.BadRequest, await AskAs(path, "evil.example"));
            foreach (var host in (string[])[$"127.0.0.1:{port}", "127.3.2.1:9090", "[::1]", "localhost", "trainer.ml.svc:9090"])
                Assert.Equal(HttpStatusCode.OK, await AskAs(path, host));
        }

        run.Signal("TERM");

        Assert.Equal(75, run.Wait());
        Assert.Equal(FailureClass.Interrupted, run.Result.Failure!.Class);
        Assert.True(run.Result.Failure.Step > 0);
        Assert.Empty(Leftovers());

        async Task<HttpStatusCode> AskAs(string path, string host)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };
            using var response = await http.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task A_killed_run_leaves_nothing_that_the_next_one_trips_over()
    {
        var job = TinyJob.In(folder) with { Evaluation = null };
        var endless = job with { Training = job.Training with { Duration = new TrainingDuration { Steps = 1_000_000 } } };
        using (var killed = TrainerProcess.Start(folder, TrainerProcess.Arguments(folder, endless)))
        {
            await killed.SaysAsync("step=1 ");
            killed.Signal("KILL");
            Assert.Equal(ExitCodes.Killed, killed.Wait());
            Assert.False(killed.HasResult);
        }
        Assert.Single(Leftovers());
        Assert.False(Directory.Exists(folder["artifact"]));

        var (code, output, _) = TrainerProcess.Train(folder, job);

        Assert.True(code == 0, output);
        Assert.Empty(Leftovers());
    }

    [Fact]
    public void A_port_in_use_is_the_machines_fault()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (code, output, result) = TrainerProcess.Train(folder, TinyJob.In(folder), null, "--port", $"{port}");

        Assert.Equal((8, FailureClass.Infrastructure), (code, result.Failure!.Class));
        Assert.Contains($"127.0.0.1:{port} is in use by another program", result.Failure.Message, StringComparison.Ordinal);
        Assert.EndsWith(result.Failure.Message, output.TrimEnd(), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("ro", "cannot be written")]
    [InlineData("size=64k", "No space left")]
    public void A_disk_that_is_read_only_or_full_is_named(string options, string expected)
    {
        Skip.IfNot(TrainerProcess.CanMount(), "this machine lets no process make mounts of its own");
        var disk = folder["disk"];
        Directory.CreateDirectory(disk);
        var output = new OutputTarget(Path.Combine(disk, "artifact"), "pvc://adapters/artifact");
        var job = TinyJob.In(folder) with { Evaluation = null, Output = output };

        var (code, said, result) = TrainerProcess.Train(folder, job, $"mount -t tmpfs -o {options} tmpfs '{disk}'");

        Assert.True(code == 6, said);
        Assert.Equal(FailureClass.OutputError, result.Failure!.Class);
        Assert.Contains(disk, result.Failure.Message, StringComparison.Ordinal);
        Assert.Contains(expected, result.Failure.Message, StringComparison.Ordinal);
    }
}
