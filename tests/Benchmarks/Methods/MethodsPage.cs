using System.Globalization;
using System.Text;

namespace Graft.Benchmarks.Methods;

/// <summary><c>docs/methods.md</c>: the seed idea with this project's own numbers.</summary>
internal static class MethodsPage
{
    public static void Write(
        string path, MethodTask task, IReadOnlyList<MethodResult> results, (MethodTask Task, IReadOnlyList<MethodResult> Results)? second)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, $"{name}-gain.svg"), MethodsPlot.Gain(results));
        File.WriteAllText(Path.Combine(folder, $"{name}-forgotten.svg"), MethodsPlot.Forgotten(results));
        File.WriteAllText(path, Text(task, results, second, name));
    }

    private static string Text(
        MethodTask task, IReadOnlyList<MethodResult> results, (MethodTask Task, IReadOnlyList<MethodResult> Results)? second, string name)
    {
        var page = new StringBuilder();
        var (full, lora) = (results[0], results.Single(r => r.Method.Name == "LoRA"));
        page.Append(CultureInfo.InvariantCulture, $"""
            # What each method costs, gains and forgets

            Written by `dotnet run -c Release --project tests/Benchmarks -- methods --page docs/methods.md{(second is null ? "" : " --with-snips")}`.

            A base model knows a lot already. To teach it one more task, most of its weights can stay as they are: a parameter-efficient method
            trains a small part beside them, the adapter. Here LoRA trains {lora["trainable"] / lora["base"]:p1} of the parameters that full
            fine-tuning does and answers {lora["exact"]:p0} of new messages rightly, where full fine-tuning answers {full["exact"]:p0} and the
            base alone {full["exact_before"]:p0}. Taken off, it leaves the base as it was, bit for bit, so that one base can serve many
            adapters; full fine-tuning leaves a second whole model instead, which has lost the first one's answers.

            Every method learns the [quickstart](../samples/quickstart/README.md)'s task from its model of {full["base"] / 1e6:0.##} million
            parameters: {task.Steps} steps of {task.BatchSize} messages, which are to be sorted as JSON. Then it answers
            {task.Validation.Count} messages that it has not seen, greedily, and an answer counts if it is right to the letter. Each method
            runs in a process of its own, so that the peak of memory is its own.

            ![Exact matches over trainable parameters]({name}-gain.svg)

            | method | trains | of the base | peak memory | tokens/s | file | learning rate | exact match | loss |
            |---|---:|---:|---:|---:|---:|---:|---:|---:|

            """);
        foreach (var r in results)
            page.Append(CultureInfo.InvariantCulture, $"| {r.Method.Name} | {r["trainable"]:n0} | {r["trainable"] / r["base"]:p2} | ")
                .Append(CultureInfo.InvariantCulture, $"{r["peak_mib"]:0} MiB | ")
                .Append(CultureInfo.InvariantCulture, $"{r["tokens_per_s"]:n0} | {r["file_kib"]:n0} KiB | {r["learning_rate"]:0.####} | ")
                .Append(CultureInfo.InvariantCulture, $"{r["exact"]:p1} | {r["loss"]:0.000} |\n");
        page.Append(CultureInfo.InvariantCulture, $"""

            ## What is forgotten

            The general text here is the base's own: the last {task.General.Count} messages of its training texts with the shop's replies in
            sentences. The perplexity of those replies says how well a model still knows them; the base's is {full["general_before"]:0.00}.
            The task wants another answer to the same kind of message, so while an adapter is on, the old replies become unlikely: that is
            the task, not damage. What differs is whether it can be undone, which the last column shows.

            ![Perplexity on the old replies against the base's]({name}-forgotten.svg)

            | method | perplexity of the old replies, tuned | with the method switched off |
            |---|---:|---:|

            """);
        foreach (var r in results)
            page.Append(CultureInfo.InvariantCulture, $"| {r.Method.Name} | {r["general"]:n2} | {r["general_without"]:n2} |\n");
        page.Append(CultureInfo.InvariantCulture, $"""

            ## What so small a model shows, and what not

            - Sizes of files and shares of parameters are of its own kind: the larger the base, the smaller a share an adapter is.
            - Memory hardly differs, because a base of {full["base"] * 4 / 1048576:0.#} MiB weighs nothing beside the program itself. For
              large models gradients and optimizer state of all weights take several times the model.
            - Speeds and peaks are those of one short run on whatever the machine was; compare them only roughly.
            - The base never wrote JSON. Rows of its output head for tokens that it never wrote (those of "team" or "urgency") were hardly
              trained and stay small, and every method but full fine-tuning leaves the head alone. That bounds how sure the model can be:
              after LoRA such a token is the likeliest, with a probability near 0.3 where others have 0.99, which is why its loss stays near 0.3
              while its answers are right. A model that was trained on text of all kinds has no such rows.
            - Soft prompts (prompt tuning, P-tuning, prefix tuning) and IA3 steer what a model can do already. This one can do nothing
              but answer customers, and they have few numbers to teach it more. Prompt tuning comes near full fine-tuning only for models
              of billions of parameters ([Lester et al. 2021](https://arxiv.org/abs/2104.08691)).
            - Learning rates are not searched for: between one and three were tried for each method, in one run with one seed, and others may
              serve it better. They are larger than a real model wants; a run that names none gets its method's usual one.
            - rsLoRA divides by the root of the rank where LoRA divides by the rank, so its updates count more at the same rate.

            LoRA, DoRA and IA3 can be merged into the base. Soft prompts and bottleneck adapters stay beside it when it is served.

            """);
        if (second is { } more) Second(page, more.Task, more.Results);
        return page.ToString();
    }

    private static void Second(StringBuilder page, MethodTask task, IReadOnlyList<MethodResult> results)
    {
        var first = results[0];
        page.Append(CultureInfo.InvariantCulture, $"""

            ## A real model, for a few steps

            SmolLM2-135M-Instruct learns to turn commands into JSON (snips): {task.Steps} steps of {task.BatchSize} rows, at the rates that a
            run gets that names none, over the weights of a Q4_1 file. {task.Validation.Count} rows judge; before, their loss is
            {first["loss_before"]:0.000}. General text is worked answers to {task.General.Count} questions of arithmetic (GSM8K), which the
            task has nothing to do with; the base's perplexity is {first["general_before"]:0.00}. So few steps show how methods start,
            not where they end.

            | method | trains | peak memory | tokens/s | file | learning rate | loss | general perplexity |
            |---|---:|---:|---:|---:|---:|---:|---:|

            """);
        foreach (var r in results)
            page.Append(CultureInfo.InvariantCulture, $"| {r.Method.Name} | {r["trainable"]:n0} | {r["peak_mib"]:n0} MiB | ")
                .Append(CultureInfo.InvariantCulture, $"{r["tokens_per_s"]:n0} | {r["file_kib"]:n0} KiB | {r["learning_rate"]:0.####} | ")
                .Append(CultureInfo.InvariantCulture, $"{r["loss"]:0.000} | {r["general"]:0.00} |\n");
    }
}
