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
        var text = new Option<string?>("--text-column")
        {
            HelpName = "NAME",
            Description = "Column of the texts that a classifier judges. Default: text.",
        };
        var label = new Option<string?>("--label-column")
        {
            HelpName = "NAME",
            Description = "Column of their right labels. Default: label.",
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
              loss        nats per token of the right answers, or per label; less is better
              exactMatch  share of greedy answers that are right word for word; absent when the rows are plain text
              accuracy    share of texts whose likeliest label is the right one, of a classifier
              rows        how many rows were measured

            Examples:
              What the base model does, and what the adapter gains:
                graft-trainer evaluate --model base --data validation.jsonl
                graft-trainer evaluate --model base --adapter adapters/first --data validation.jsonl
              A table with columns of its own names, all rows:
                graft-trainer evaluate --model model.gguf --data test.csv --prompt-column question --completion-column label \
                  --max-rows 100000
              A classifier: a model that is one, or a base with an adapter that makes it one:
                graft-trainer evaluate --model base --adapter adapters/topics --data test.csv --text-column body --label-column topic
            """);
        model.AddTo(command);
        foreach (var option in (Option[])[data, prompt, completion, text, label, maxRows, maxLength]) command.Options.Add(option);
        command.SetAction(parsed => CommandLine.Guarded(() =>
        {
            var answered = parsed.GetValue(prompt) is { } p ? new DataColumns(p, parsed.GetValue(completion)) : null;
            if (answered is { Completion: null } || (answered is null && parsed.GetValue(completion) is not null))
                throw RunFailedException.Job("--prompt-column and --completion-column belong together: name both or none");
            var labeled = (parsed.GetValue(text), parsed.GetValue(label)) is (null, null)
                ? null : new DataColumns(Text: parsed.GetValue(text), Label: parsed.GetValue(label));
            if (answered is not null && labeled is not null)
                throw RunFailedException.Job(
                    "--prompt-column is for a model that generates text, --text-column and --label-column for one that classifies");
            return torch.Run(() =>
            {
                TorchRuntime.Load();
                return Run(
                    model.Of(parsed), parsed.GetValue(data)!, answered, labeled, parsed.GetValue(maxRows), parsed.GetValue(maxLength));
            });
        }));
        return command;
    }

    private static int Run(
        ModelPaths paths, string[] files, DataColumns? answered, DataColumns? labeled, int maxRows, int maxLength)
    {
        using var open = new OpenModel(paths, mayClassify: true);
        var config = open.Model.Config;
        var classifies = config.Task == ModelTask.Classification;
        if (config.Task == ModelTask.Embedding)
            throw RunFailedException.Model($"{paths.Model} is a {config.Architecture}, which neither generates text nor classifies it");
        if (classifies && answered is not null)
            throw RunFailedException.Job(
                $"{paths.Model} classifies texts; name the columns of its rows with --text-column and --label-column");
        if (!classifies && labeled is not null)
            throw RunFailedException.Job(
                $"{paths.Model} generates text; name the columns of its rows with --prompt-column and --completion-column");
        var columns = classifies ? labeled : answered;
        var rows = files.SelectMany(f => SampleReader.Read(new DataSource(f, f, Columns: columns), classifies)).ToList();
        if (classifies) LabelSet.Check(rows, config.Labels, "is none that the model tells apart");
        var length = Math.Min(maxLength, open.Model.MaxLength - open.Model.Transformer.LeadOf(open.Adapter).Count);
        IRowEncoder encoder = classifies
            ? new LabelEncoder(open.Model.Tokenizer, config.Labels, length, config.VocabularySize)
            : new ExampleEncoder(open.Model.Tokenizer, open.Model.ChatTemplate, LearnFrom.Completion, length, config.VocabularySize);
        var metrics = new Evaluator(open.Model, Resolution.TokensAtOnce(open.Model.Device)).Measure(
            Enum.GetValues<Metric>(), EvaluationRows.Of(rows, maxRows, encoder), open.Adapter, CancellationToken.None);
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
