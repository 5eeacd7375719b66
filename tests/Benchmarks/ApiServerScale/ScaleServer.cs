using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Graft.LocalCluster;

namespace Graft.Benchmarks.ApiServerScale;

/// <summary>
/// The API server alone, as a process of its own: its memory is then its own too. It says <c>ready</c>, answers each line of its input
/// with the bytes of its managed heap after a full collection, and ends with its input.
/// </summary>
internal sealed class ScaleServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private ScaleServer(Process process, string folder) => (_process, _folder) = (process, folder);

    public string Kubeconfig => Path.Combine(_folder, "kubeconfig");

    public static Command Create()
    {
        var state = new Option<string>("--state") { Required = true };
        var durable = new Option<bool>("--durable");
        var command = new Command("serve", "Serve the API alone (apiserver-scale starts it).") { state, durable };
        command.Hidden = true;
        command.SetAction(async (parsed, cancel) =>
        {
            var options = new LocalClusterOptions { StateFolder = parsed.GetValue(state)!, Keep = parsed.GetValue(durable) };
            await using var cluster = await LocalCluster.LocalCluster.StartAsync(options, cancel);
            Console.WriteLine("ready");
            while (await Console.In.ReadLineAsync(cancel) is not null)
                Console.WriteLine(GC.GetTotalMemory(forceFullCollection: true).ToString(CultureInfo.InvariantCulture));
        });
        return command;
    }

    public static async Task<ScaleServer> StartAsync(bool durable)
    {
        var folder = Directory.CreateTempSubdirectory("graft-scale-").FullName;
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        // Started as `dotnet graft-bench.dll`, the program is the first argument.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        foreach (var argument in (string[])["apiserver-scale", "serve", "--state", folder])
            start.ArgumentList.Add(argument);
        if (durable)
            start.ArgumentList.Add("--durable");
        var server = new ScaleServer(Process.Start(start)!, folder);
        if (await server._process.StandardOutput.ReadLineAsync() != "ready")
        {
            await server.DisposeAsync();
            throw new InvalidOperationException("the server did not start; its own words stand above");
        }
        return server;
    }

    /// <summary>Bytes of the managed heap that are in use.</summary>
    public async Task<long> HeapAsync()
    {
        await _process.StandardInput.WriteLineAsync("heap");
        return long.Parse((await _process.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
    }

    /// <summary>Resident memory, MiB.</summary>
    public double ResidentMiB()
    {
        _process.Refresh();
        return _process.WorkingSet64 / 1048576.0;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
