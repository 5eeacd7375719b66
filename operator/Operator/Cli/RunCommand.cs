using System.CommandLine;
using Graft.Operator.Hosting;
using Graft.Runtime;
using k8s;
using Microsoft.Extensions.Logging.Console;

namespace Graft.Operator.Cli;

/// <summary>The controllers against a cluster: inside it, or from outside with a kubeconfig.</summary>
internal static class RunCommand
{
    public static Command Build()
    {
        var shared = new SharedOptions();
        var kubeconfig = new Option<FileInfo>("--kubeconfig")
        {
            Description = "How to reach the cluster; absent: as a pod of it.",
            HelpName = "FILE",
        };
        var ns = new Option<string>("--namespace") { Description = "The one namespace to look at; absent: all.", HelpName = "NAME" };
        var podAccess = new Option<PodAccess?>("--pod-access")
        {
            Description = "How to reach programs in pods; absent: Direct inside the cluster, Proxy with a kubeconfig.",
        };
        var serviceAddress = new Option<ServiceAddress>("--service-address") { Description = "What status.endpoint is made of." };
        var files = new Option<bool>("--allow-file-sources")
        {
            Description = "Accept file:// sources: pods run on the machine that names them.",
        };
        var fileRoot = new Option<DirectoryInfo>("--file-root") { Description = "Folder that file://./ starts from.", HelpName = "FOLDER" };
        var elect = new Option<bool>("--leader-elect") { Description = "Work only while holding the lease, for more than one replica." };
        var endpoint = new Option<Uri>("--endpoint")
        {
            Description = "Where /healthz, /readyz and /metrics are served; absent: nowhere.",
            HelpName = "URL",
        };

        var command = new Command("run", "Run the controllers, in a cluster or against one.")
        {
            kubeconfig, ns, podAccess, serviceAddress, files, fileRoot, elect, endpoint,
        };
        shared.AddTo(command);
        // Without it a cluster's nodes would be asked for a folder of this machine, and might have one of that name.
        command.Validators.Add(result =>
        {
            if (result.GetValue(files)) return;
            foreach (var option in new[] { shared.ModelSources, shared.DataSources })
            {
                if (result.GetResult(option) is { Implicit: false })
                    result.AddError($"{option.Name} names a path of this machine, so pods must run on it: say so with {files.Name}");
            }
        });
        command.SetAction(async (parsed, _) =>
        {
            var file = parsed.GetValue(kubeconfig);
            if (file is { Exists: false })
            {
                await Console.Error.WriteLineAsync($"--kubeconfig: there is no file {file.FullName}");
                return 1;
            }
            var options = new OperatorOptions
            {
                TrainerImage = parsed.GetValue(shared.TrainerImage) ?? OperatorOptions.DefaultTrainerImage,
                ServerImage = parsed.GetValue(shared.ServerImage) ?? OperatorOptions.DefaultServerImage,
                Namespace = parsed.GetValue(ns),
                PodAccess = parsed.GetValue(podAccess) ?? (file is null ? PodAccess.Direct : PodAccess.Proxy),
                ServiceAddress = parsed.GetValue(serviceAddress),
                Sources = shared.Sources(parsed, parsed.GetValue(files), parsed.GetValue(fileRoot)?.FullName),
                ProgressInterval = parsed.GetValue(files) ? TimeSpan.FromSeconds(1) : new OperatorOptions().ProgressInterval,
            };
            var connection = file is null
                ? KubernetesClientConfiguration.InClusterConfig()
                : await KubernetesClientConfiguration.BuildConfigFromConfigFileAsync(file);
            await RunAsync(options, connection, parsed.GetValue(elect), parsed.GetValue(endpoint), parsed.GetValue(shared.LogLevel));
            return Environment.ExitCode;
        });
        return command;
    }

    private static async Task RunAsync(
        OperatorOptions options, KubernetesClientConfiguration connection, bool elect, Uri? endpoint, LogLevel level)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(level).AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddJsonConsole(json => json.UseUtcTimestamp = true);
        builder.Logging.Services.Configure<JsonConsoleFormatterOptions>(json =>
        {
            json.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            json.IncludeScopes = true;
        });
        builder.Services.AddGraftOperator(options, settings =>
        {
            settings.Connection = connection;
            settings.Endpoint = endpoint;
            settings.LeaderElectionType = elect ? LeaderElectionType.Single : LeaderElectionType.None;
        });
        using var host = builder.Build();
        await host.RunAsync();
    }
}
