using System.CommandLine;
using Graft.Contract;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;

namespace Graft.Trainer.Cli;

internal static class TrainCommand
{
    public static Command Create(TorchThread torch)
    {
        var job = new Option<string>("--job")
        {
            Description = "The job.json to carry out.",
            DefaultValueFactory = _ => ContractPaths.JobFile,
        };
        var port = new Option<int>("--port")
        {
            Description = "Port of /progress, /metrics and /health, on the address that POD_IP names (127.0.0.1 without it); 0 takes any.",
            DefaultValueFactory = _ => ContractPorts.Trainer,
        };
        var quiet = new Option<bool>("--no-http") { Description = "Serve no progress." };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 65535) result.AddError("--port must be between 0 and 65535");
        });
        var command = new Command("train", """
            Trains as a job.json says and writes the artifact folder that it names.
            A complete artifact of the same job is reported again, and nothing is trained.

            A small job.json:
              {"version": "graft.dev/job/v1alpha1", "name": "first",
               "model": {"source": "file:///models/base", "path": "/models/base"},
               "objective": {"generation": {}},
               "data": {"train": [{"source": "file:///rows.jsonl", "path": "/rows.jsonl"}]},
               "method": {"lora": {"rank": 8, "targets": {"allLinear": {}}}},
               "training": {"duration": {"epochs": 3}, "optimizer": {"adamw": {}}, "schedule": {"cosine": {}}},
               "output": {"path": "/adapters/first", "uri": "file:///adapters/first"}}
            """) { job, port, quiet };
        command.SetAction(parsed => new TrainProgram(
            new TrainSettings(parsed.GetValue(job)!, parsed.GetValue(quiet) ? null : parsed.GetValue(port)),
            torch, Environment.GetEnvironmentVariable, Console.Error, TimeProvider.System).RunAsync());
        return command;
    }
}
