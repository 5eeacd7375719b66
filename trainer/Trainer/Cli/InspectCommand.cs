using System.CommandLine;
using System.Text.Json;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Training;

namespace Graft.Trainer.Cli;

internal static class InspectCommand
{
    public static Command Create(TorchThread torch)
    {
        var path = new Argument<string>("PATH") { Description = "An adapter's folder or .gguf file, or a whole model." };
        var engines = new Option<string[]>("--engine")
        {
            HelpName = "NAME",
            Description = "An engine that is to serve it: vllm, sglang, llamacpp or graft; may be given several times.",
        }.AcceptOnlyFromAmong([.. Names.Values]);
        var baseModel = new Option<string?>("--base")
        {
            HelpName = "PATH",
            Description = "The base model that it is to be served on: names, shapes and digest are compared. Needs libtorch.",
        };
        var rank = new Option<int?>("--max-lora-rank")
        {
            HelpName = "N",
            Description = "What vLLM or SGLang is started with. Default: the engine's own (vLLM: 16).",
        };
        rank.Validators.Add(r =>
        {
            if (r.GetValueOrDefault<int?>() is < 1) r.AddError("--max-lora-rank must be at least 1");
        });
        var json = new Option<bool>("--json") { Description = "Prints one JSON object and nothing else." };
        var command = new Verb("inspect", "Says what an adapter is, and which engines will serve it.", """
            What it is: method, rank, targets, base, and of an artifact of Graft's own where it comes from; every file of it is compared
            with what manifest.json says. Nothing is computed, and no weight is read but to compare its digest.

            For each engine: whether it will load the adapter and answer rightly with it, else why not and what to do instead.

            Exit codes: 0 done, and every engine that --engine names will serve it; 9 one of them will not; 4 it is nothing that can be
            read, or not what its manifest says, or does not fit --base.

            Examples:
              graft-trainer inspect adapters/first
              Before an adapter goes to a vLLM that runs:
                graft-trainer inspect adapters/first --engine vllm --max-lora-rank 32 && kubectl apply -f rollout.yaml
              Whether it fits a base of this machine:
                graft-trainer inspect adapters/first --base models/smollm2 --engine graft
              For programs:
                graft-trainer inspect adapters/first --json
            """);
        command.Arguments.Add(path);
        foreach (var option in (Option[])[engines, baseModel, rank, json]) command.Options.Add(option);
        command.SetAction(parsed => CommandLine.Guarded(() =>
        {
            var asked = Names.Where(n => parsed.GetValue(engines)?.Contains(n.Value) == true).Select(n => n.Key).ToList();
            var found = Inspected.At(parsed.GetValue(path)!);
            var on = parsed.GetValue(baseModel) is { } model ? OnBase(torch, found, parsed.GetValue(path)!, model) : null;
            var report = Report(parsed.GetValue(path)!, found, asked.Count > 0 ? asked : [.. Names.Keys], parsed.GetValue(rank), on);
            if (parsed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(report, ContractJson.Indented.InspectionReport));
            else foreach (var line in InspectionText.Lines(report)) Console.WriteLine(line);
            return asked.Count > 0 && report.Engines.Any(v => !v.Loads) ? ExitCodes.NotServed : ExitCodes.Success;
        }));
        return command;
    }

    /// <summary>The engines as the command line calls them.</summary>
    internal static IReadOnlyDictionary<ServingEngine, string> Names { get; } = new SortedDictionary<ServingEngine, string>
    {
        [ServingEngine.Vllm] = "vllm",
        [ServingEngine.Sglang] = "sglang",
        [ServingEngine.Llamacpp] = "llamacpp",
        [ServingEngine.Graft] = "graft",
    };

    /// <summary>What the base decides.</summary>
    private sealed record BaseFacts(string ModelType, string? Digest, int MaxPositions);

    private static InspectionReport Report(string path, Inspected found, List<ServingEngine> engines, int? maxRank, BaseFacts? on) => new()
    {
        Path = path,
        Kind = found.Kind,
        Facts = found.Facts,
        BaseName = found.Artifact?.BaseModel?.Source ?? found.BaseName,
        Provenance = found.Artifact is { Trained: { } m, Digest: var digest }
            ? new Provenance(m.Name, digest, m.BaseModel, m.Dataset, m.Metrics, m.Steps, m.Created, m.Producer) : null,
        Engines = [.. engines.Select(engine => Judge(engine, found, maxRank, on))],
    };

    private static Verdict Judge(ServingEngine engine, Inspected found, int? maxRank, BaseFacts? on)
    {
        if (found.Facts is not { } facts || found.Format is not { } format)
            return AdapterVerdicts.JudgeModel(engine, found.Kind == InspectedKind.GgufModel);
        var takesRank = engine is ServingEngine.Vllm or ServingEngine.Sglang;
        var verdict = AdapterVerdicts.Judge(facts, format, new ServingLimits(
            engine, takesRank ? maxRank : null, ModelType: on?.ModelType, BaseDigest: on?.Digest, MaxPositions: on?.MaxPositions));
        return engine == ServingEngine.Graft && found.Refusal is { } refusal
            ? verdict with { Loads = false, Reasons = [.. verdict.Reasons, $"Graft cannot read it: {refusal}."] } : verdict;
    }

    /// <summary>Opens base and adapter as serving them would; the base's weights are mapped, not read.</summary>
    /// <exception cref="ModelFormatException">The adapter does not fit the base; every tensor that does not is named.</exception>
    private static BaseFacts OnBase(TorchThread torch, Inspected found, string path, string model) => torch.Run(() =>
    {
        TorchRuntime.Load();
        return Open(found, path, model);
    });

    private static BaseFacts Open(Inspected found, string path, string model)
    {
        if (found.Facts is not { } facts) throw new ModelFormatException(path, "is a whole model; --base is for adapters");
        // What reading it alone refuses is told beside the verdicts, and it then says no labels.
        var labels = found.Refusal is null ? LoadedAdapter.LabelsOf(path) : null;
        using var opened = BaseModel.Load(model, new LoadOptions(
            TorchSharp.torch.CPU, TorchSharp.torch.ScalarType.Float32, RequireTokenizer: false, Task: null, Labels: labels));
        if (found.Refusal is null) LoadedAdapter.Load(opened, "adapter", path, verified: true).Dispose();
        return new BaseFacts(opened.Config.ModelType, facts.BaseDigest.Length > 0 ? opened.Digest : null, opened.MaxLength);
    }
}
