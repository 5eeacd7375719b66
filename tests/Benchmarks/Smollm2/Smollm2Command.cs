using System.CommandLine;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Reporting;
using Graft.Trainer.Training;

namespace Graft.Benchmarks.Smollm2;

internal static class Smollm2Command
{
    public static Command Create(TorchThread torch)
    {
        var model = new Option<string>("--model")
        {
            Description = "Folder of SmolLM2-135M-Instruct with its GGUF file and snips-recipe.json.",
            DefaultValueFactory = _ => "../shared/models/smollm2-135m-instruct",
        };
        var steps = new Option<int?>("--steps") { Description = "Only the first so many steps; no validation." };
        var precision = new Option<Precision>("--precision") { Description = "Arithmetic of the base: Auto, F32 or BF16." };
        var json = new Option<bool>("--json") { Description = "Print [{name, value, unit}] and nothing else." };
        var command = new Command("smollm2", """
            LoRA on SmolLM2-135M-Instruct: 120 steps of 8 rows of snips, then 70 validation rows.
            Hugging Face (transformers, PEFT) on two processor cores: intent 0.886, exact 0.157, 248 tokens/s, 4.2 GiB.
            """) { model, steps, precision, json };
        command.SetAction(parsed =>
        {
            var recipe = SnipsRecipe.Read(parsed.GetValue(model)!);
            var figures = torch.Run(() =>
            {
                TorchRuntime.Load();
                return Measure(recipe, parsed.GetValue(steps), parsed.GetValue(precision));
            });
            Report.Print(figures, parsed.GetValue(json));
        });
        return command;
    }

    private static List<Figure> Measure(SnipsRecipe recipe, int? steps, Precision precision)
    {
        using var run = new SnipsRun(recipe, precision);
        Report.Say($"precision {run.Precision}");
        var reports = run.Train(steps ?? recipe.Steps, r =>
        {
            if (r.Step % 10 == 0 || r.Step == 1)
                Report.Say(FormattableString.Invariant(
                    $"step {r.Step}  loss {r.Loss:f4}  {r.Tokens / r.Duration.TotalSeconds:f0} tokens/s"));
        });
        var seconds = reports.Sum(r => r.Duration.TotalSeconds);
        List<Figure> figures =
        [
            new("tokens_per_s", reports.Sum(r => r.Tokens) / seconds, "tokens/s"),
            new("train_s", seconds, "s"),
            new("final_loss", reports[^1].Loss, "nats"),
        ];
        if (steps is null)
        {
            var (intent, exact) = run.Validate(rows: int.MaxValue, tuned: true);
            figures.AddRange([new("intent", intent, "share"), new("exact", exact, "share")]);
        }
        figures.Add(new("peak_mib", (PeakMemory.Bytes() ?? 0) / 1048576.0, "MiB"));
        return figures;
    }
}
