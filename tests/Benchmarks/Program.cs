using System.CommandLine;
using Graft.Benchmarks.ApiServerScale;
using Graft.Benchmarks.Methods;
using Graft.Benchmarks.Road;
using Graft.Benchmarks.Sizes;
using Graft.Benchmarks.Smollm2;
using Graft.Trainer.Training;

return TorchThread.Serve(torch =>
    Root(torch).Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }), Environment.Exit);

static RootCommand Root(TorchThread torch)
{
    var root = new RootCommand("""
        Measures Graft against known figures. `list` names the benchmarks; with --json a benchmark prints its figures and
        nothing else.
        """);
    Command[] benchmarks =
    [
        RoadCommand.Create(TimeProvider.System), SizesCommand.Create(), Smollm2Command.Create(torch), MethodsCommand.Create(torch),
        ScaleCommand.Create(TimeProvider.System),
    ];
    var list = new Command("list", "Name the benchmarks.");
    list.SetAction(_ =>
    {
        foreach (var benchmark in benchmarks) Console.WriteLine($"{benchmark.Name,-16} {benchmark.Description!.Split('\n')[0].Trim()}");
    });
    root.Subcommands.Add(list);
    foreach (var benchmark in benchmarks) root.Subcommands.Add(benchmark);
    return root;
}
