using System.CommandLine;
using Graft.Contract;
using Graft.Trainer.Bench;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;

namespace Graft.Trainer.Cli;

/// <summary>The verbs of <c>graft-trainer</c>.</summary>
internal static class CommandLine
{
    private const string Manual = """
        Examples:
          graft-trainer train --job job.json
          graft-trainer evaluate --model base --adapter adapters/first --data validation.jsonl
          graft-trainer generate --model base --adapter adapters/first --prompt "My parcel never came."
          graft-trainer inspect adapters/first
          graft-trainer train --help      what a job.json looks like

        Exit codes: 0 done, 2 the job or the command line is wrong, 3 the data, 4 the model, 5 out of memory, 6 the output,
        7 diverged, 8 the machine, 9 an engine will not serve it (inspect), 75 told to stop, 1 anything else.
        The last line of output says what failed and what would be right.

        Variables:
          GRAFT_LIBTORCH  A folder with another libtorch 2.10 (libtorch_cpu.so and all that it needs), for instance one for CUDA:
                          GRAFT_LIBTORCH=/opt/pytorch/torch/lib graft-trainer train --job job.json
          POD_IP          The address on which train serves its progress; 127.0.0.1 without it.
        """;

    public static Task<int> RunAsync(string[] args, TorchThread torch)
    {
        var root = new RootCommand("Fine-tunes a language model as a job.json says, and measures and asks models and their adapters.")
        {
            TrainCommand.Create(torch),
            EvaluateCommand.Create(torch),
            GenerateCommand.Create(torch),
            TokenizerCommand.Create(),
            MergeCommand.Create(torch),
            CombineCommand.Create(torch),
            ExportCommand.Create(torch),
            ConvertCommand.Create(torch),
            InspectCommand.Create(torch),
            BenchCommand.Create(torch),
        };
        Verb.ShowManuals(root, Manual);
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0) return Task.FromResult(Misused(parsed));
        return parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    /// <summary>A command line that cannot be understood is a wrong job, not a bug.</summary>
    private static int Misused(ParseResult parsed)
    {
        foreach (var error in parsed.Errors) Console.Error.WriteLine(error.Message);
        var verb = parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ";
        Console.Error.WriteLine($"graft-trainer {verb}--help says what there is");
        return ExitCodes.Of(FailureClass.InvalidJob);
    }

    /// <summary>Runs a verb and turns what goes wrong into its last line of output and its exit code.</summary>
    public static int Guarded(Func<int> verb)
    {
        try
        {
            return verb();
        }
        catch (Exception e)
        {
            var failure = Failures.Of(e, step: 0);
            if (Failures.IsBug(failure)) Console.Error.WriteLine(e);
            Console.Error.WriteLine($"failed: {failure.Class}: {failure.Message}");
            return ExitCodes.Of(failure.Class);
        }
    }
}
