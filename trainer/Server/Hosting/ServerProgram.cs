using System.Net.Sockets;
using System.Runtime.InteropServices;
using Graft.Contract;
using Graft.Modeling;
using Graft.Server.Engine;
using Graft.Sources;
using Microsoft.AspNetCore.Connections;

namespace Graft.Server.Hosting;

/// <summary>A server's life as a process: its exit code, and its last words.</summary>
internal sealed class ServerProgram(TextWriter output, TextWriter error, Func<string, string?> environment)
{
    /// <summary>Serves until the process is told to stop. The exit code is <see cref="ExitCodes"/>'s.</summary>
    /// <param name="load">Is given a voice for what it is doing, and a token that ends it when the process is told to stop.</param>
    public async Task<int> RunAsync(ServerOptions options, Func<Action<string>, CancellationToken, IEngineModel> load)
    {
        if (!SourceUri.IsRemote(options.Model) && !Path.Exists(ContractPaths.Resolve(options.Model, environment)))
            return Fail(FailureClass.ModelError, $"--model {options.Model}: no such file or folder");
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => stop.Cancel());
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => stop.Cancel());
        InferenceEngine? engine = null;
        await using var host = ServerHost.Create(
            options, () => load(words => engine!.Doing = words, stop.Token), TimeProvider.System, environment);
        engine = host.Engine;
        try
        {
            await host.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            var reason = e is AddressInUseException || e.InnerException is AddressInUseException ? "the port is in use" : e.Message;
            return Fail(FailureClass.Infrastructure, $"cannot listen on {options.Endpoint}: {reason}");
        }
        await output.WriteLineAsync($"Listening on {host.Address.ToString().TrimEnd('/')}, loading {options.Model}");
        return await ServeAsync(host, options);
    }

    /// <summary>Says why nothing is served: on standard error, and where Kubernetes looks for it.</summary>
    public int Fail(FailureClass failure, string message)
    {
        var line = $"graft-server: {message.ReplaceLineEndings(" ")}";
        error.WriteLine(line);
        try
        {
            // Only where somebody made a place for it: Kubernetes mounts the file, and a variable names one.
            var log = ContractPaths.Resolve(ContractPaths.TerminationLog, environment);
            if (log != ContractPaths.TerminationLog || File.Exists(log)) File.WriteAllText(log, line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The line on standard error is what is left to say it.
        }
        return ExitCodes.Of(failure);
    }

    private async Task<int> ServeAsync(ServerHost host, ServerOptions options)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = host.Stopping.Register(() => stopped.TrySetResult());
        var stopping = stopped.Task;
        if (await Task.WhenAny(host.Engine.Loaded, stopping) == host.Engine.Loaded && !host.Stopping.IsCancellationRequested)
        {
            if (host.Engine.Loaded.Exception?.InnerException is { } cause)
            {
                await host.StopAsync();
                if (cause is OperationCanceledException) return ExitCodes.Success;
                return await FailAsync(cause, $"--model {options.Model} cannot be loaded");
            }
            await output.WriteLineAsync($"Serving {options.ServedModelName}");
            await Task.WhenAny(host.Engine.Stopped, stopping);
        }
        await host.StopAsync();
        var crash = host.Engine.Stopped.Exception?.InnerException;
        return crash is null || !host.Engine.Loaded.IsCompletedSuccessfully
            ? ExitCodes.Success
            : await FailAsync(crash, "the engine failed");
    }

    private async Task<int> FailAsync(Exception e, string what)
    {
        var failure = Classify(e);
        var isForeseen = failure != FailureClass.Internal;
        if (!isForeseen) await output.WriteLineAsync(e.ToString());
        return Fail(failure, $"{what}: {(isForeseen ? "" : e.GetType().Name + ": ")}{e.Message}");
    }

    private static FailureClass Classify(Exception e) => e switch
    {
        ModelFormatException or IOException or UnauthorizedAccessException => FailureClass.ModelError,
        SourceException source => source.ClassFor(FailureClass.ModelError),
        TorchRuntimeException => FailureClass.Infrastructure,
        OutOfMemoryException => FailureClass.OutOfMemory,
        _ => FailureClass.Internal,
    };
}
