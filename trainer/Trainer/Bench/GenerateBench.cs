using System.CommandLine;
using System.Diagnostics;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Cli;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Bench;

/// <summary>Decoding speed of a small model with random weights, and how it compares to the loop that one would write first.</summary>
internal static class GenerateBench
{
    private const int PromptTokens = 64;

    public static Command Create(TorchThread torch)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var tokens = new Option<int>("--tokens") { Description = "Tokens decoded in each run.", DefaultValueFactory = _ => 128 }.AtLeast(1);
        var rounds = new Option<int>("--rounds") { Description = "Runs of each kind, taken in turns; the fastest counts.",
            DefaultValueFactory = _ => 3 }.AtLeast(1);
        var precisions = new Option<Precision[]>("--precision")
        {
            Description = "Only these.", DefaultValueFactory = _ => [Precision.F32, Precision.BF16], AllowMultipleArgumentsPerToken = true,
        };
        var batches = new Option<int[]>("--batch")
        {
            Description = "Only these.", DefaultValueFactory = _ => [1, 8], AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command("generate", """
            Decodes with 8 layers of hidden size 512 and a vocabulary of 32,000: batches of 1 and 8, f32 and bf16, 1 and 2 threads,
            each after a prompt of 64 tokens. "plain" is a module tree with a preallocated cache, on one thread; "ratio" is how
            many times faster Graft was in the same run.
            """) { json, tokens, rounds, precisions, batches };
        command.SetAction(parsed => CommandLine.Guarded(() => torch.Run(() =>
        {
            TorchRuntime.Load();
            Figure.Print(Measure(parsed.GetValue(precisions)!, parsed.GetValue(batches)!, parsed.GetValue(tokens), parsed.GetValue(rounds)),
                parsed.GetValue(json), Console.Out);
            return ExitCodes.Success;
        })));
        return command;
    }

    private static List<Figure> Measure(Precision[] precisions, int[] batches, int tokens, int rounds)
    {
        var figures = new List<Figure>();
        var folder = Directory.CreateTempSubdirectory("graft-bench-");
        try
        {
            BenchModel.Write(folder.FullName);
            foreach (var precision in precisions)
            {
                var name = precision.ToString().ToLowerInvariant();
                var dtype = Precisions.Resolve(precision, CPU, weightsTrain: false);
                using var model = BaseModel.Load(folder.FullName, new LoadOptions(CPU, dtype, RandomWeights: true));
                using var plain = new PlainModel(model);
                foreach (var batch in batches)
                {
                    Console.Error.WriteLine($"{name}, batch {batch}");
                    var speeds = Speeds(model, plain, batch, tokens, rounds);
                    figures.Add(new Figure($"generate.{name}.batch{batch}.plain", speeds[0], "tokens/s"));
                    for (var threads = 1; threads <= 2; threads++)
                    {
                        figures.Add(new Figure($"generate.{name}.batch{batch}.threads{threads}", speeds[threads], "tokens/s"));
                        figures.Add(new Figure($"generate.{name}.batch{batch}.threads{threads}.ratio", speeds[threads] / speeds[0],
                            "times"));
                    }
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return figures;
    }

    /// <summary>Tokens a second of the plain loop, and of Graft with one and two threads: the best of some rounds.</summary>
    private static double[] Speeds(BaseModel model, PlainModel plain, int batch, int tokens, int rounds)
    {
        var best = new double[3];
        // In turns, so that what else the machine does meets all of them.
        for (var round = 0; round <= rounds; round++)
        {
            for (var i = 0; i < best.Length; i++)
            {
                set_num_threads(Math.Max(1, i));
                var seconds = i == 0 ? plain.Decode(Prompts(batch), tokens) : Decode(model, Prompts(batch), tokens);
                // The first round compiles.
                if (round > 0) best[i] = Math.Max(best[i], batch * tokens / seconds);
            }
        }
        set_num_threads(Environment.ProcessorCount);
        return best;
    }

    private static List<int[]> Prompts(int batch) =>
        [.. Enumerable.Range(0, batch).Select(b => Enumerable.Range(0, PromptTokens).Select(i => (i * 31 + b * 101) % 200).ToArray())];

    /// <returns>Seconds of all tokens but each answer's first, which belongs to the prompt, for as many tokens as asked.</returns>
    private static double Decode(BaseModel model, List<int[]> prompts, int tokens)
    {
        var generator = new TextGenerator(model);
        var options = new SamplingOptions(MaxTokens: tokens + 1, IgnoreEndOfGeneration: true);
        var sequences = prompts.Select(p => new GenerationSequence(model, p, options)).ToList();
        generator.Step(sequences);
        var start = Stopwatch.GetTimestamp();
        while (sequences[0].Finish is null) generator.Step(sequences);
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (var sequence in sequences) sequence.Dispose();
        return elapsed;
    }
}
