using System.Net;
using System.Net.Sockets;
using Graft.Contract;
using Graft.Server.Hosting;

namespace Graft.Server.Tests;

/// <summary>What the program says and how it exits when it cannot serve.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("graft-command-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("", FailureClass.InvalidJob, "--model")]
    [InlineData("--model x --port 70000", FailureClass.InvalidJob, "--port 70000 is not from 0 to 65535")]
    [InlineData("--model x --port many", FailureClass.InvalidJob, "'many'")]
    [InlineData("--model x --host example.org", FailureClass.InvalidJob, "--host 'example.org' is no IP address")]
    [InlineData("--model x --precision F64", FailureClass.InvalidJob, "F64")]
    [InlineData("--model x --quantization int3", FailureClass.InvalidJob, "int3")]
    [InlineData("--model x --max-sequences 0", FailureClass.InvalidJob, "--max-sequences must be at least 1")]
    [InlineData("--model x --max-context 1", FailureClass.InvalidJob, "--max-context must be at least 2")]
    [InlineData("--model x --modle y", FailureClass.InvalidJob, "--modle")]
    [InlineData("--model /no/such/model", FailureClass.ModelError, "--model /no/such/model: no such file or folder")]
    public async Task What_is_wrong_is_the_last_line_and_the_termination_message(string arguments, FailureClass failure, string message)
    {
        var (code, error) = await Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(ExitCodes.Of(failure), code);
        var line = Assert.Single(error.TrimEnd().Split('\n'));
        Assert.StartsWith("graft-server: ", line, StringComparison.Ordinal);
        Assert.Contains(message, line, StringComparison.Ordinal);
        Assert.Equal(line, File.ReadAllText(Path.Combine(folder, "termination-log")));
    }

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (code, error) = await Run("--model", folder, "--port", $"{port}");

        Assert.Equal(ExitCodes.Of(FailureClass.Infrastructure), code);
        Assert.Equal($"graft-server: cannot listen on 127.0.0.1:{port}: the port is in use", error.TrimEnd());
    }

    [Fact]
    public async Task The_pods_address_is_where_it_listens()
    {
        var (code, error) = await Run(v => v == ContractEnvironment.PodIp ? "192.0.2.1" : null, "--model", folder, "--port", "8000");

        Assert.Equal(ExitCodes.Of(FailureClass.Infrastructure), code);
        Assert.StartsWith("graft-server: cannot listen on 192.0.2.1:8000: ", error, StringComparison.Ordinal);
    }

    private Task<(int Code, string Error)> Run(params string[] args) => Run(_ => null, args);

    private async Task<(int Code, string Error)> Run(Func<string, string?> environment, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var log = Path.Combine(folder, "termination-log");
        var code = await ServerCommand.RunAsync(args, output, error, v => v == "GRAFT_TERMINATION_LOG" ? log : environment(v))
            .WaitAsync(TimeSpan.FromSeconds(30));
        return (code, error.ToString());
    }
}
