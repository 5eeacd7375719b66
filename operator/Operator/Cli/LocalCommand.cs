using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Graft.Operator.Local;
using Graft.Runtime;
using Spectre.Console;

namespace Graft.Operator.Cli;

/// <summary>Everything on this machine, with no cluster installed.</summary>
internal static class LocalCommand
{
    private const int Interrupted = 130;

    public static Command Build()
    {
        var shared = new SharedOptions();
        var folder = new Argument<DirectoryInfo>("folder") { Description = "Folder with manifests (*.yaml), and perhaps prompts.txt." };
        var keep = new Option<bool>("--keep") { Description = "Stay up when everything is served; kubectl works from another terminal." };
        var noOperator = new Option<bool>("--no-operator") { Description = "Run no controllers: another process does." };
        var state = new Option<DirectoryInfo>("--state")
        {
            Description = "Folder for kubeconfig, logs and volumes, and with --keep for all objects: the next start goes on with them. Absent: .graft/NAME here, for this run.",
            HelpName = "FOLDER",
        };
        var claims = SharedOptions.Pairs("--claim", "NAME=FOLDER", "Let FOLDER of this machine be the volume of the claim NAME.");
        var nodes = new Option<FileInfo>("--nodes")
        {
            Description = "File of Node manifests: labels, taints and allocatable (GPUs too) of nodes that pods are scheduled to; all run here.",
            HelpName = "FILE",
        };
        var faults = new Option<FileInfo>("--faults")
        {
            Description = "File of a fault plan: what goes wrong with requests to the Kubernetes API, for tests of what bears it.",
            HelpName = "FILE",
        };
        var cache = new Option<DirectoryInfo>("--cache")
        {
            Description = "Folder for what is fetched; absent: HF_HOME, or ~/.cache/huggingface, shared with Python tools.",
            HelpName = "FOLDER",
        };
        var timeout = new Option<string>("--timeout")
        {
            Description = "Give up after so long, as 10m.",
            HelpName = "DURATION",
            DefaultValueFactory = _ => "24h",
        };
        timeout.Validators.Add(result =>
        {
            if (!GepDuration.TryParse(result.GetValueOrDefault<string>(), out _))
                result.AddError("--timeout: write it like 90s, 10m or 1h30m");
        });
        var port = new Option<int>("--port") { Description = "Port of the Kubernetes API; absent: any that is free.", HelpName = "PORT" };
        var trainer = new Option<string>("--trainer-program")
        {
            Description = "graft-trainer; absent: beside this program, or where the build put it.",
            HelpName = "PATH",
        };
        var server = new Option<string>("--server-program") { Description = "graft-server; absent: likewise.", HelpName = "PATH" };

        var command = new Command("local", "Apply a folder of manifests on this machine: train, serve, and show the answers.")
        {
            folder, keep, noOperator, state, claims, nodes, faults, cache, timeout, port, trainer, server,
        };
        shared.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var path = parsed.GetValue(folder)!.FullName.TrimEnd(Path.DirectorySeparatorChar);
            return await RunAsync(new LocalOptions
            {
                Folder = path,
                StateFolder = parsed.GetValue(state)?.FullName
                    ?? Path.Combine(Directory.GetCurrentDirectory(), ".graft", Path.GetFileName(path)),
                Keep = parsed.GetValue(keep),
                KeepsObjects = parsed.GetValue(keep) && parsed.GetValue(state) is not null,
                NoOperator = parsed.GetValue(noOperator),
                Substitutes = shared.Substitutes(parsed),
                Claims = (parsed.GetValue(claims) ?? []).Select(SharedOptions.SplitPair)
                    .ToDictionary(p => p.Key, p => Path.GetFullPath(p.Value), StringComparer.Ordinal),
                Nodes = parsed.GetValue(nodes)?.FullName,
                Faults = parsed.GetValue(faults)?.FullName,
                Fetch = shared.Fetching.Of(parsed) with
                {
                    AllowLoopback = true,
                    CacheFolder = parsed.GetValue(cache)?.FullName ?? LocalOptions.DefaultCache(Environment.GetEnvironmentVariable),
                },
                Timeout = GepDuration.Parse(parsed.GetValue(timeout)!),
                Port = parsed.GetValue(port),
                TrainerProgram = parsed.GetValue(trainer),
                ServerProgram = parsed.GetValue(server),
                TrainerImage = parsed.GetValue(shared.TrainerImage) ?? LocalImages.Trainer,
                ServerImage = parsed.GetValue(shared.ServerImage) ?? LocalImages.Server,
                LogLevel = parsed.GetValue(shared.LogLevel),
            });
        });
        return command;
    }

    private static async Task<int> RunAsync(LocalOptions options)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = StopOn(PosixSignal.SIGINT, stop);
        using var terminate = StopOn(PosixSignal.SIGTERM, stop);
        using var hangUp = StopOn(PosixSignal.SIGHUP, stop);
        var console = AnsiConsole.Console;
        // A file or a pipe has no width; tables are to be readable in it all the same.
        if (!console.Profile.Out.IsTerminal) console.Profile.Width = 120;
        return await ExitCodeAsync(
            token => new LocalRun(options, console, TimeProvider.System).RunAsync(token), Console.Error, stop.Token);
    }

    /// <summary>What a shell is told, and a person: one line for everything that can go wrong around this program.</summary>
    internal static async Task<int> ExitCodeAsync(Func<CancellationToken, Task> run, TextWriter errors, CancellationToken stop)
    {
        try
        {
            await run(stop);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whoever stays up ends well when stopped; what is stopped before that was not finished.
            return Interrupted;
        }
        catch (Exception e) when (e is LocalFailure or ApiException or IOException or UnauthorizedAccessException
            or HttpRequestException or TimeoutException or OperationCanceledException or JsonException)
        {
            await errors.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private static PosixSignalRegistration StopOn(PosixSignal signal, CancellationTokenSource stop) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
}
