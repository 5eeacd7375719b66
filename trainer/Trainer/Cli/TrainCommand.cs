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
            HelpName = "FILE",
            Description = "The job.json to carry out.",
            DefaultValueFactory = _ => ContractPaths.JobFile,
        };
        var port = new Option<int>("--port")
        {
            HelpName = "PORT",
            Description = "Where /progress, /metrics and /health are served, on the address that POD_IP names (127.0.0.1 without it).",
            DefaultValueFactory = _ => ContractPorts.Trainer,
        };
        var quiet = new Option<bool>("--no-http") { Description = "Serves nothing; several runs can then share a machine." };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 65535) result.AddError("--port must be between 0 and 65535");
        });
        var command = new Verb("train", "Trains as a job.json says, and writes the artifact folder that it names.", """
            A complete artifact of the same job is reported again, and nothing is trained. Stopped (Ctrl-C), it leaves nothing behind.

            A small job.json, to be adapted (every path must exist but the output's):
              {"version": "graft.dev/job/v1alpha1", "name": "first",
               "model": {"source": "file:///models/base", "path": "/models/base"},
               "objective": {"generation": {}},
               "data": {"train": [{"source": "file:///rows.jsonl", "path": "/rows.jsonl"}],
                        "validation": {"split": {"fraction": 0.1}}},
               "method": {"lora": {"rank": 8, "targets": {"allLinear": {}}}},
               "training": {"duration": {"epochs": 3}, "optimizer": {"adamw": {}}, "schedule": {"cosine": {}}},
               "evaluation": {"metrics": ["Loss", "ExactMatch"]},
               "output": {"path": "/adapters/first", "uri": "file:///adapters/first"}}

            and its rows.jsonl, one row a line:
              {"prompt": "My parcel never came.", "completion": "delivery"}

            Examples:
              graft-trainer train --job job.json
              curl -s http://127.0.0.1:9090/progress        from another terminal, while it trains
              GRAFT_LIBTORCH=/opt/pytorch/torch/lib graft-trainer train --job job.json --no-http
            """) { job, port, quiet };
        command.SetAction(parsed => new TrainProgram(
            new TrainSettings(parsed.GetValue(job)!, parsed.GetValue(quiet) ? null : parsed.GetValue(port)),
            torch, Environment.GetEnvironmentVariable, Console.Error, TimeProvider.System).RunAsync());
        return command;
    }
}
