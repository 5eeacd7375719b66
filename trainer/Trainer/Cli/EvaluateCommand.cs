using System.CommandLine;
using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Data;
using Graft.Trainer.Evaluation;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;

namespace Graft.Trainer.Cli;

internal static class EvaluateCommand
{
    public static Command Create(TorchThread torch)
    {
        var model = new ModelOptions();
        var data = new Option<string[]>("--data")
        {
            HelpName = "FILE",
            Description = "Rows with known answers (.jsonl, .csv, .txt); several files may follow.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var prompt = new Option<string?>("--prompt-column") { HelpName = "NAME", Description = "Column of the prompts. Default: prompt." };
        var completion = new Option<string?>("--completion-column")
        {
            HelpName = "NAME",
            Description = "Column of the right answers. Default: completion.",
        };
        var maxRows = new Option<int>("--max-rows")
        {
            HelpName = "N",
            Description = "Only the first so many rows.",
            DefaultValueFactory = _ => 256,
        }.AtLeast(1);
        var maxLength = new Option<int>("--max-length")
        {
            HelpName = "TOKENS",
            Description = "Longest row; what is longer is cut at its end.",
            DefaultValueFactory = _ => 1024,
        }.AtLeast(2);
        var command = new Verb("evaluate", "Measures a model, with or without an adapter, on rows with known answers, and prints JSON.", """
            What is printed:
              loss        nats per token of the right answers; less is better
              exactMatch  share of greedy answers that are right word for word; absent when the rows are plain text
              rows        how many rows were measured

            Examples:
              What the base model does, and what the adapter gains:
                graft-trainer evaluate --model base --data validation.jsonl
                graft-trainer evaluate --model base --adapter adapters/first --data validation.jsonl
              A table with columns of its own names, all rows:
                graft-trainer evaluate --model model.gguf --data test.csv --prompt-column question --completion-column label \
                  --max-rows 100000
            """);
        model.AddTo(command);
        foreach (var option in (Option[])[data, prompt, completion, maxRows, maxLength]) command.Options.Add(option);
        command.SetAction(parsed => CommandLine.Guarded(() =>
        {
            var columns = parsed.GetValue(prompt) is { } p ? new DataColumns(p, parsed.GetValue(completion)) : null;
            if (columns is { Completion: null } || (columns is null && parsed.GetValue(completion) is not null))
                throw RunFailedException.Job("--prompt-column and --completion-column belong together: name both or none");
            var rows = parsed.GetValue(data)!.SelectMany(f => SampleReader.Read(new DataSource(f, f, Columns: columns))).ToList();
            return torch.Run(() =>
            {
                TorchRuntime.Load();
                return Run(model.Of(parsed), rows, parsed.GetValue(maxRows), parsed.GetValue(maxLength));
            });
        }));
        return command;
    }

    private static int Run(ModelPaths paths, List<Sample> rows, int maxRows, int maxLength)
    {
        using var open = new OpenModel(paths);
        var encoder = new ExampleEncoder(
            open.Model.Tokenizer, open.Model.ChatTemplate, LearnFrom.Completion, Math.Min(maxLength, open.Model.MaxLength - open.Model.Transformer.LeadOf(open.Adapter).Count),
            open.Model.Config.VocabularySize);
        var metrics = new Evaluator(open.Model, Resolution.TokensAtOnce(open.Model.Device)).Measure(
            [Metric.Loss, Metric.ExactMatch], EvaluationRows.Of(rows, maxRows, encoder), open.Adapter, CancellationToken.None);
        using var output = Console.OpenStandardOutput();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            foreach (var (name, value) in metrics) json.WriteNumber(name, value);
            json.WriteNumber("rows", Math.Min(rows.Count, maxRows));
            json.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
        return ExitCodes.Success;
    }
}
