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
            Description = "Files of rows (.jsonl, .csv, .txt).",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var prompt = new Option<string?>("--prompt-column") { Description = "Column of the prompts." };
        var completion = new Option<string?>("--completion-column") { Description = "Column of the right answers." };
        var maxRows = new Option<int>("--max-rows") { Description = "At most so many rows.", DefaultValueFactory = _ => 256 };
        var maxLength = new Option<int>("--max-length") { Description = "Longest row in tokens.", DefaultValueFactory = _ => 1024 };
        var command = new Command("evaluate", """
            Measures a model, with or without an adapter, on rows with known answers, and prints JSON:
            loss (nats per token of the answers) and exactMatch (share of greedy answers that are right).

              graft-trainer evaluate --model base --adapter adapters/first --data validation.jsonl
            """) { data, prompt, completion, maxRows, maxLength };
        model.AddTo(command);
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
            open.Model.Tokenizer, open.Model.ChatTemplate, LearnFrom.Completion, Math.Min(maxLength, open.Model.MaxLength));
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
