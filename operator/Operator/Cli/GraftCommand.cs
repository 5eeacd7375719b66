using System.CommandLine;

namespace Graft.Operator.Cli;

/// <summary>The command line: <c>run</c>, <c>local</c>, <c>generate</c>.</summary>
internal static class GraftCommand
{
    public static RootCommand Build() => new("Fine-tunes models and serves adapters on Kubernetes, and on this machine alone.")
    {
        LocalCommand.Build(),
        RunCommand.Build(),
        GenerateCommand.Build(),
    };

    public static async Task<int> InvokeAsync(string[] args)
    {
        // Commands watch for signals themselves, because ending well takes a while where processes were started.
        var configuration = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        return await Build().Parse(args).InvokeAsync(configuration);
    }
}
