using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Training;

namespace Graft.Benchmarks.Methods;

internal static class MethodsCommand
{
    public static Command Create(TorchThread torch)
    {
        Option<string> File(string name, string value, string what) => new(name) { Description = what, DefaultValueFactory = _ => value };
        var model = File("--model", "samples/quickstart/model", "The base model: a folder, or a .gguf file.");
        var train = File("--train", "samples/quickstart/data/train.jsonl", "Rows to learn.");
        var validation = File("--validation", "samples/quickstart/data/validation.jsonl", "Rows to be judged by.");
        var general = File("--general", "samples/quickstart/base/corpus.jsonl", "Rows that must not be forgotten.");
        var steps = new Option<int>("--steps") { Description = "Optimizer steps.", DefaultValueFactory = _ => 150 };
        var batch = new Option<int>("--batch") { Description = "Rows of a step.", DefaultValueFactory = _ => 16 };
        var rate = new Option<double>("--learning-rate") { Description = "Of a LoRA; the others' are multiples of it.", DefaultValueFactory = _ => 0.004 };
        var precision = new Option<Precision>("--precision") { Description = "Arithmetic of a frozen base.", DefaultValueFactory = _ => Precision.F32 };
        var only = new Option<string?>("--only") { Description = "One method, by its name in the table." };
        var page = new Option<string?>("--page") { Description = "Write the page of documentation here, with its plots beside it." };
        var json = new Option<bool>("--json") { Description = "Print [{name, value, unit}] and nothing else." };
        var command = new Command("methods", """
            Every tuning method on the same model and rows: what trains, memory, speed, size, gain, and what was forgotten.
            Each runs in a process of its own. --page docs/methods.md writes the page that shows it.
            """) { model, train, validation, general, steps, batch, rate, precision, only, page, json };
        command.SetAction(parsed =>
        {
            var task = new MethodTask(
                parsed.GetValue(model)!, parsed.GetValue(train)!, parsed.GetValue(validation)!, parsed.GetValue(general)!,
                parsed.GetValue(steps), parsed.GetValue(batch), parsed.GetValue(rate), parsed.GetValue(precision));
            if (parsed.GetValue(only) is { } name)
            {
                Report.Print(One(torch, task, name), parsed.GetValue(json));
                return;
            }
            var words = parsed.Tokens.Select(t => t.Value).Where(t => t != "--json").ToList();
            var at = words.IndexOf("--page");
            if (at >= 0) words.RemoveRange(at, 2);
            var results = MethodCase.All.Select(m => new MethodResult(m, Child(words, m.Name))).ToList();
            if (parsed.GetValue(page) is { } path) MethodsPage.Write(path, task, results);
            Report.Print([.. results.SelectMany(r => r.Figures.Select(f => f with { Name = $"{r.Method.Name}: {f.Name}" }))], parsed.GetValue(json));
        });
        return command;
    }

    private static List<Figure> One(TorchThread torch, MethodTask task, string name)
    {
        var method = MethodCase.All.FirstOrDefault(m => m.Name == name)
            ?? throw new ArgumentException($"there is no '{name}'; there are {string.Join("; ", MethodCase.All.Select(m => m.Name))}");
        return torch.Run(() =>
        {
            TorchRuntime.Load();
            return MethodRun.Measure(task, method);
        });
    }

    /// <summary>This program again, for one method.</summary>
    private static IReadOnlyList<Figure> Child(IEnumerable<string> words, string name)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        // Run by `dotnet`, the process is that, and the program its first argument.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "graft-bench.dll"));
        foreach (var word in words.Concat(["--only", name, "--json"])) start.ArgumentList.Add(word);
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new InvalidOperationException($"'{name}' ended with {child.ExitCode}");
        var figures = JsonSerializer.Deserialize(output, FigureJson.Default.IReadOnlyListFigure)!;
        var result = new MethodResult(MethodCase.All.Single(m => m.Name == name), figures);
        Report.Say(FormattableString.Invariant(
            $"{name}: exact {result["exact"]:p1}, loss {result["loss"]:f3}, {result["tokens_per_s"]:f0} tokens/s, perplexity {result["general"]:f2}"));
        return figures;
    }
}

/// <summary>What was measured of a method.</summary>
internal sealed record MethodResult(MethodCase Method, IReadOnlyList<Figure> Figures)
{
    public double this[string figure] => Figures.Single(f => f.Name == figure).Value;
}
