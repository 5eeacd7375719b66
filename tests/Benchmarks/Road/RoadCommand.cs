using System.CommandLine;
using System.Text.Json;
using Graft.Contract;
using k8s;

namespace Graft.Benchmarks.Road;

/// <summary>The quickstart as a person runs it, with a clock beside it.</summary>
internal static class RoadCommand
{
    public static Command Create(TimeProvider time)
    {
        var program = new Option<string>("--operator")
        {
            Description = "The operator's program, built in Release.",
            DefaultValueFactory = _ => "artifacts/bin/Operator/release/graft-operator",
        };
        var sample = new Option<string>("--sample") { Description = "Folder of manifests with one FineTuneJob.", DefaultValueFactory = _ => "samples/quickstart" };
        var json = new Option<bool>("--json") { Description = "Print [{name, value, unit}] and nothing else." };
        var command = new Command("road", """
            From manifests to an answer: wall time, apply to first step, training's end to first answer, the operator's memory.
            """) { program, sample, json };
        command.SetAction(async (parsed, _) =>
        {
            var state = Directory.CreateTempSubdirectory("graft-road-").FullName;
            try
            {
                Report.Print(await MeasureAsync(parsed.GetValue(program)!, parsed.GetValue(sample)!, state, time), parsed.GetValue(json));
            }
            finally
            {
                Directory.Delete(state, recursive: true);
            }
        });
        return command;
    }

    private static async Task<IReadOnlyList<Figure>> MeasureAsync(string program, string sample, string state, TimeProvider time)
    {
        using var local = new LocalProcess(
            Path.GetFullPath(program), ["local", sample, "--keep", "--state", state], Directory.GetCurrentDirectory(), time);
        var (_, line) = await local.LineAsync("KUBECONFIG=");
        var applied = (await local.LineAsync("applied ")).Time;
        Report.Say("applied");
        var answered = (await local.LineAsync(" answered")).Time;
        Report.Say("answered");
        var up = (await local.LineAsync("stays up")).Time;
        var result = await ResultAsync(line[(line.IndexOf("KUBECONFIG=", StringComparison.Ordinal) + "KUBECONFIG=".Length)..].Trim());
        var memory = local.ResidentMiB();
        await local.InterruptAsync();

        var lastStep = result.LastStepTime ?? throw new InvalidOperationException("the result does not say when the last step ended");
        var training = result.TrainingSeconds ?? throw new InvalidOperationException("the result does not say how long it trained");
        return
        [
            new("road_s", (up - local.Started).TotalSeconds, "s"),
            new("apply_to_first_step_s", (lastStep - applied).TotalSeconds - training, "s"),
            new("training_s", training, "s"),
            new("training_end_to_answers_s", (answered - lastStep).TotalSeconds, "s"),
            new("operator_rss_mib", memory, "MiB"),
            new("trainer_peak_mib", (result.PeakMemoryBytes ?? 0) / 1048576.0, "MiB"),
        ];
    }

    /// <summary>The trainer's own words, from the termination message of its pod.</summary>
    private static async Task<TrainingResult> ResultAsync(string kubeconfig)
    {
        using var client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
        var pods = await client.CoreV1.ListPodForAllNamespacesAsync();
        var message = pods.Items.SelectMany(p => p.Status?.ContainerStatuses ?? [])
            .Where(c => c.Name == "trainer" && c.State?.Terminated?.ExitCode == 0)
            .Select(c => c.State.Terminated.Message)
            .Single();
        return JsonSerializer.Deserialize(message, ContractJson.Compact.TrainingResult)!;
    }
}
