using System.Globalization;
using System.Text;

namespace Graft.Benchmarks.Methods;

/// <summary><c>docs/methods.md</c>: the seed idea with this project's own numbers.</summary>
internal static class MethodsPage
{
    public static void Write(string path, MethodTask task, IReadOnlyList<MethodResult> results)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, $"{name}-gain.svg"), MethodsPlot.Gain(results));
        File.WriteAllText(Path.Combine(folder, $"{name}-forgotten.svg"), MethodsPlot.Forgotten(results));
        File.WriteAllText(path, Text(task, results, name));
    }

    private static string Text(MethodTask task, IReadOnlyList<MethodResult> results, string name)
    {
        var (first, lora) = (results[0], results.Single(r => r.Method.Name == "LoRA"));
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            # What each method costs, gains and forgets

            Written by `dotnet run -c Release --project tests/Benchmarks -- methods --page docs/methods.md`.

            Every method learns the same task from the same base model ({first["base"] / 1e6:0.##} million parameters): {task.Steps} steps of
            {task.BatchSize} rows, then {MethodTask.JudgedRows} rows that it has not seen, answered greedily and compared word for word. Perplexity on general
            text is what the base model could do before; where it rises, the method has forgotten. Each runs in a process of its own on
            {Environment.ProcessorCount} processor cores, so that peak memory is the method's.

            The base alone answers {first["exact_before"]:p0} of the rows rightly, at a perplexity of {first["general_before"]:0.00} on general text. LoRA trains
            {lora["trainable"] / lora["base"]:p1} of the parameters, and its file is {first["file_kib"] / lora["file_kib"]:0.#} times smaller than the whole model's.

            ![Exact matches over trainable parameters]({name}-gain.svg)

            ![Perplexity on general text against the base's]({name}-forgotten.svg)

            | method | trains | of the base | peak memory | tokens/s | file | exact match | loss | general perplexity |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|

            """);
        foreach (var r in results)
            page.Append(CultureInfo.InvariantCulture,
                $"| {r.Method.Name} | {r["trainable"]:n0} | {r["trainable"] / r["base"]:p2} | {r["peak_mib"]:0} MiB | {r["tokens_per_s"]:n0} | {r["file_kib"]:n0} KiB | {r["exact"]:p1} | {r["loss"]:0.000} | {r["general"]:0.00} |\n");
        page.Append("""

            **How to read it.** A small share of the parameters is enough for the task: that is the idea behind parameter-efficient tuning.
            On a model this small the base weighs little beside the activations, so that memory differs less than it does for large ones,
            where gradients and optimizer state of all weights take several times the model. Soft prompts (prompt tuning, P-tuning, prefix
            tuning) and bottleneck adapters stay beside the model at serving; LoRA, DoRA and IA3 can be merged into it. Learning rates are
            those where each method learns this task best, and a longer training helps the slow ones.

            """);
        return page.ToString();
    }
}
