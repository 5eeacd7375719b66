using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Graft.Sources.Tests.Support;

/// <summary>Real programs that <c>make components</c> fetches; a test that needs one is skipped where it is not.</summary>
internal static class Components
{
    public static string S3rver => Path.Combine(Folder, "s3rver", "node_modules", ".bin", "s3rver");

    public static string Registry => Path.Combine(Folder, "docker-registry");

    private static string Folder { get; } = Path.Combine(Root(), "artifacts", "components");

    public static void Require(string program) =>
        Skip.IfNot(File.Exists(program), $"{Path.GetFileName(program)} is not there: make components fetches it");

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Operator.sln"))) return folder.FullName;
        }
        throw new InvalidOperationException("the tests do not run inside their repository");
    }
}

/// <summary>A server program on a port of its own choice on loopback, which it says in what it prints.</summary>
internal sealed partial class ServerProgram : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly Process process;

    private ServerProgram(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    public static async Task<ServerProgram> StartAsync(string program, params string[] arguments)
    {
        var said = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        process.OutputDataReceived += Look;
        process.ErrorDataReceived += Look;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new(process, await said.Task.WaitAsync(Deadline));

        void Look(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is { } text && Listening().Match(text) is { Success: true } match)
                said.TrySetResult(int.Parse(match.Groups[1].Value));
        }
    }

    public void Dispose()
    {
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }

    [GeneratedRegex("listening on .*127\\.0\\.0\\.1:([0-9]+)", RegexOptions.IgnoreCase)]
    private static partial Regex Listening();
}
