using System.Globalization;
using Graft.Contract;

namespace Graft.Trainer.Cli;

/// <summary>A report for people.</summary>
internal static class InspectionText
{
    public static IEnumerable<string> Lines(InspectionReport report)
    {
        yield return $"{report.Path}: {Kind(report.Kind)}";
        if (report.Facts is { } facts)
        {
            yield return Row("method", Method(facts));
            if (facts.Targets.Count > 0) yield return Row("targets", string.Join(", ", facts.Targets));
            if (facts.ModulesToSave.Count > 0) yield return Row("whole", string.Join(", ", facts.ModulesToSave));
            if (facts.VirtualTokens is { } tokens) yield return Row("virtual", $"{tokens} tokens before each text");
            yield return Row("size", string.Create(CultureInfo.InvariantCulture, $"{facts.TrainableParameters:n0} parameters, "
                + $"{facts.Dtype}, {Size(facts.Bytes)}"));
            if (facts.Task is { } task) yield return Row("task", task);
        }
        if (report.Facts is not null || report.BaseName is not null) yield return Row("base", Base(report));
        if (report.Provenance is { } from)
        {
            yield return Row("made", string.Create(CultureInfo.InvariantCulture,
                $"'{from.Name}' by {from.Producer} on {from.Created:yyyy-MM-dd}, {from.Steps} steps over "
                    + $"{from.Dataset.TrainRows} rows of {string.Join(", ", from.Dataset.Sources)}"));
            if (from.Metrics.Count > 0)
                yield return Row("measured", string.Join(", ",
                    from.Metrics.Select(m => FormattableString.Invariant($"{m.Key} {m.Value:0.####}"))));
            yield return Row("files", $"all as manifest.json says ({from.Digest})");
        }
        foreach (var verdict in report.Engines)
        {
            yield return Row(InspectCommand.Names[verdict.Engine], verdict.Loads ? "will serve it" : "will not serve it");
            foreach (var text in verdict.Reasons.Concat(verdict.Hints)) yield return Row("", "- " + text);
        }
    }

    private static string Row(string name, string text) => $"  {name,-10}{text}";

    private static string Kind(InspectedKind kind) => kind switch
    {
        InspectedKind.PeftAdapter => "an adapter as PEFT writes it",
        InspectedKind.AdapterHubAdapter => "an adapter as AdapterHub writes it",
        InspectedKind.GgufAdapter => "a LoRA for llama.cpp",
        InspectedKind.GgufModel => "a whole model as a GGUF file",
        _ => "a whole model",
    };

    private static string Method(AdapterFacts facts)
    {
        var parts = new List<string> { facts.Dora ? $"{facts.Method} with DoRA" : facts.Method };
        if (facts.Rank is { } rank) parts.Add(facts.MaxRank is { } most && most != rank ? $"rank {rank}, at most {most}" : $"rank {rank}");
        if (facts.Alpha is { } alpha)
            parts.Add(FormattableString.Invariant($"alpha {alpha}{(facts.RsLora ? " over the root of the rank" : "")}"));
        if (facts.HasPatterns) parts.Add("ranks or alphas by pattern");
        if (facts.Bias is not (null or "none")) parts.Add($"bias {facts.Bias}");
        return string.Join(", ", parts);
    }

    private static string Base(InspectionReport report)
    {
        var digest = report.Facts?.BaseDigest is { Length: > 0 } known ? $" ({known})" : "";
        var type = report.Facts?.ModelType is { } model ? $", {model}" : "";
        return $"{report.BaseName ?? "not named"}{digest}{type}";
    }

    private static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");
}
