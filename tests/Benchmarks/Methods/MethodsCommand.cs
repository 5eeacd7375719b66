using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Graft.Modeling;
using Graft.Trainer.Training;

namespace Graft.Benchmarks.Methods;

internal static class MethodsCommand
{
    private const string Folder = "../shared/models/smollm2-135m-instruct";

    public static Command Create(TorchThread torch)
    {
        var task = new Option<string>("--task") { Description = "quickstart or snips.", DefaultValueFactory = _ => "quickstart" };
        task.AcceptOnlyFromAmong("quickstart", "snips");
        var model = new Option<string>("--model")
        {
            Description = "For snips: folder of SmolLM2-135M-Instruct with its GGUF file and snips-recipe.json.",
            DefaultValueFactory = _ => Folder,
        };
        var steps = new Option<int?>("--steps") { Description = "Optimizer steps; absent: 150 of quickstart, 30 of snips." };
        var rate = new Option<double?>("--learning-rate")
        {
            Description = "Absent: where the method learns the quickstart best; of snips what a run gets that names none.",
        };
        var only = new Option<string?>("--only") { Description = "One method, by its name in the table." };
        var page = new Option<string?>("--page") { Description = "Write the page of documentation here, with its plots beside it." };
        var snips = new Option<bool>("--with-snips") { Description = "The page has a second table, of snips." };
        var kept = new Option<string?>("--results")
        {
            Description = "Folder in which each method's figures are kept; those that are there are not measured again.",
        };
        var json = new Option<bool>("--json") { Description = "Print [{name, value, unit}] and nothing else." };
        var command = new Command("methods", """
            Every tuning method on the same model and rows: what trains, memory, speed, size, gain, and what was forgotten.
            Each runs in a process of its own. --page docs/methods.md writes the page that shows it.
            """) { task, model, steps, rate, only, page, snips, kept, json };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(model)!;
            MethodTask Task(string name) => name == "snips"
                ? MethodTask.Snips(folder, parsed.GetValue(steps) ?? 30) : MethodTask.Quickstart(parsed.GetValue(steps) ?? 150);
            var asked = parsed.GetValue(task)!;
            if (parsed.GetValue(only) is { } name)
            {
                Report.Print(One(torch, Task(asked), name, parsed.GetValue(rate), asked == "snips"), parsed.GetValue(json));
                return;
            }
            IReadOnlyList<MethodResult> All(string of) =>
            [
                .. MethodCase.All.Where(m => of == "quickstart" || m.OnSnips).Select(m => Kept(parsed.GetValue(kept), of, m, [
                    "methods", "--task", of, "--model", folder, "--steps", Number(Task(of).Steps),
                    .. parsed.GetValue(rate) is { } given ? ["--learning-rate", Number(given)] : Array.Empty<string>(),
                ])),
            ];
            var results = All(asked);
            if (parsed.GetValue(page) is { } path)
            {
                var second = parsed.GetValue(snips) ? (Task("snips"), All("snips")) : ((MethodTask, IReadOnlyList<MethodResult>)?)null;
                MethodsPage.Write(path, Task(asked), results, second);
            }
            var named = results.SelectMany(r => r.Figures.Select(f => f with { Name = $"{r.Method.Name}: {f.Name}" }));
            Report.Print([.. named], parsed.GetValue(json));
        });
        return command;
    }

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static List<Figure> One(TorchThread torch, MethodTask task, string name, double? rate, bool usual)
    {
        var method = MethodCase.All.FirstOrDefault(m => m.Name == name)
            ?? throw new ArgumentException($"there is no '{name}'; there are {string.Join("; ", MethodCase.All.Select(m => m.Name))}");
        return torch.Run(() =>
        {
            TorchRuntime.Load();
            return MethodRun.Measure(task, method, rate ?? (usual ? null : method.LearningRate));
        });
    }

    /// <summary>What was measured before, or is now.</summary>
    private static MethodResult Kept(string? folder, string task, MethodCase method, IEnumerable<string> words)
    {
        var file = folder is null ? null : Path.Combine(folder, $"{task} {method.Name}.json");
        if (file is not null && File.Exists(file)) return new MethodResult(method, Figures(File.ReadAllText(file)));
        var result = Child(method, words);
        if (file is null) return result;
        Directory.CreateDirectory(folder!);
        File.WriteAllText(file, JsonSerializer.Serialize(result.Figures, FigureJson.Default.IReadOnlyListFigure));
        return result;
    }

    private static IReadOnlyList<Figure> Figures(string json) => JsonSerializer.Deserialize(json, FigureJson.Default.IReadOnlyListFigure)!;

    /// <summary>This program again, for one method.</summary>
    private static MethodResult Child(MethodCase method, IEnumerable<string> words)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        // Run by `dotnet`, the process is that, and the program its first argument.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "graft-bench.dll"));
        foreach (var word in words.Concat(["--only", method.Name, "--json"])) start.ArgumentList.Add(word);
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new InvalidOperationException($"'{method.Name}' ended with {child.ExitCode}");
        var result = new MethodResult(method, Figures(output));
        Report.Say(string.Create(CultureInfo.InvariantCulture,
            $"{method.Name}: exact {result["exact"]:p1}, loss {result["loss"]:f3}, perplexity {result["general"]:f2}"));
        return result;
    }
}

/// <summary>What was measured of a method.</summary>
internal sealed record MethodResult(MethodCase Method, IReadOnlyList<Figure> Figures)
{
    public double this[string figure] => Figures.Single(f => f.Name == figure).Value;
}
