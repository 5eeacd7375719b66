using System.CommandLine;
using Graft.Trainer.Training;

namespace Graft.Trainer.Bench;

/// <summary>The verb <c>bench</c>, whose own verbs each measure one thing.</summary>
internal static class BenchCommand
{
    public static Command Create(TorchThread torch) => new("bench", """
        Measures this machine and this build. Figures go to standard output, with --json as [{"name", "value", "unit"}] and
        nothing else; what is being done goes to standard error.
        """)
    {
        LoadBench.Create(torch),
        TokenizeBench.Create(),
        GenerateBench.Create(torch),
    };
}
