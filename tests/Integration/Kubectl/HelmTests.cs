using System.Net;
using Graft.Integration.Harness;

namespace Graft.Integration.Kubectl;

/// <summary>helm, the real one, with a chart of our kinds and a kind that the chart brings itself.</summary>
public abstract class HelmTests(Cluster cluster) : ClusterTests(cluster)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly string Program = Path.Combine(Repository.Components, "helm");
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-helm-").FullName;

    private string Group => $"{Space.Name}.example.com";

    public override async Task InitializeAsync()
    {
        Skip.IfNot(File.Exists(Program), "helm is not there: make components fetches it");
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await Api.DeleteAsync($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gauges.{Group}");
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [SkippableFact]
    public async Task A_chart_of_our_kinds_is_installed_upgraded_rolled_back_and_uninstalled()
    {
        var chart = Chart();

        Assert.Contains("STATUS: deployed", await HelmAsync("install", "run", chart), StringComparison.Ordinal);
        Assert.Equal(("4", "4"), await RanksAsync());
        Assert.Equal("helm.sh/release.v1", (await Api.GetAsync($"{Api.Core(Space.Name, "secrets")}/sh.helm.release.v1.run.v1")).Object().Text("type"));
        Assert.Matches(@"run\s+\S+\s+1\s+.*deployed\s+runs-0\.1\.0", await HelmAsync("list"));

        await HelmAsync("upgrade", "run", chart, "--set", "rank=8");
        Assert.Equal(("8", "8"), await RanksAsync());
        await HelmAsync("rollback", "run", "1");
        Assert.Equal(("4", "4"), await RanksAsync());
        Assert.Matches(@"(?m)^3\s+.*deployed\s+.*Rollback to 1", await HelmAsync("history", "run"));

        Assert.Contains("uninstalled", await HelmAsync("uninstall", "run", "--wait", "--timeout", "60s"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await Api.GetAsync($"{Api.FineTuneJobs(Space.Name)}/run")).Status);
        Assert.Equal("", (await HelmAsync("list", "--short")).Trim());
    }

    [SkippableFact]
    public async Task An_upgrade_that_does_not_become_ready_is_taken_back()
    {
        var chart = Chart();
        await HelmAsync("install", "run", chart, "--set", "ours=false", "--wait", "--timeout", "60s");

        await using var broken = await TryHelmAsync(
            "upgrade", "run", chart, "--set", "ours=false,broken=true,rank=16", "--rollback-on-failure", "--timeout", "5s");

        Assert.NotEqual(0, broken.ExitCode);
        Assert.Contains("has been rolled back", broken.Output, StringComparison.Ordinal);
        Assert.Equal("4", (await Api.GetAsync($"{Api.Core(Space.Name, "configmaps")}/run-settings")).Object().Text("data.rank"));
        Assert.Equal(HttpStatusCode.NotFound, (await Api.GetAsync($"{Api.Deployments(Space.Name)}/run-broken")).Status);
    }

    [SkippableFact]
    public async Task A_rendered_chart_is_applied_by_kubectl()
    {
        using var kubectl = KubectlProgram.Of("1.33", Api.Kubeconfig, Space.Name);
        var rendered = kubectl.File(await HelmAsync("template", "run", Chart(), "--set", "gauge=false"));

        Assert.Contains("finetunejob.graft.dev/run created", await kubectl.RunAsync("apply", "-f", rendered), StringComparison.Ordinal);
        Assert.Equal("", await kubectl.RunAsync("diff", "-f", rendered));
    }

    /// <summary>Of a built-in kind, and of ours.</summary>
    private async Task<(string?, string?)> RanksAsync() =>
    (
        (await Api.GetAsync($"{Api.Core(Space.Name, "configmaps")}/run-settings")).Object().Text("data.rank"),
        (await Api.GetAsync($"{Api.FineTuneJobs(Space.Name)}/run")).Object().Text("metadata.labels.rank"));

    private async Task<string> HelmAsync(params string[] arguments)
    {
        await using var run = await TryHelmAsync(arguments);
        Assert.True(run.ExitCode == 0, $"helm {string.Join(' ', arguments)} ended with {run.ExitCode}:\n{run.Output}");
        return run.Output;
    }

    private Task<ProgramRun> TryHelmAsync(params string[] arguments) => ProgramRun.ToEndAsync("/usr/bin/env",
    [
        $"HELM_CACHE_HOME={_folder}/home", $"HELM_CONFIG_HOME={_folder}/home", $"HELM_DATA_HOME={_folder}/home",
        Program, "--kubeconfig", Api.Kubeconfig, "--namespace", Space.Name, .. arguments,
    ], Limit);

    private string Chart()
    {
        Write("Chart.yaml", "apiVersion: v2\nname: runs\nversion: 0.1.0\n");
        Write("values.yaml", "rank: 4\nbroken: false\ngauge: true\nours: true\n");
        Write("crds/gauges.yaml", $$$"""
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: gauges.{{{Group}}}}
            spec:
              group: {{{Group}}}
              scope: Namespaced
              names: {kind: Gauge, plural: gauges}
              versions:
              - name: v1
                served: true
                storage: true
                schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer} } } } } }
            """);
        Write("templates/all.yaml", """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: "{{ .Release.Name }}-settings"}
            data: {rank: "{{ .Values.rank }}"}
            {{- if .Values.ours }}
            ---
            apiVersion: graft.dev/v1alpha1
            kind: FineTuneJob
            metadata: {name: "{{ .Release.Name }}", labels: {rank: "{{ .Values.rank }}"}}
            spec:
              suspend: true
              model: {source: "pvc://inputs/model"}
              objective: {generation: {learnFrom: Completion}}
              data: {train: [{source: "pvc://inputs/data/train.jsonl"}]}
              method: {lora: {rank: 4, alpha: 8}}
              training: {duration: {steps: 4}}
              output: {pvc: {claimName: adapters}}
            {{- end }}
            {{- if .Values.gauge }}
            ---
            apiVersion: GROUP/v1
            kind: Gauge
            metadata: {name: "{{ .Release.Name }}"}
            spec: {size: {{ .Values.rank }}}
            {{- end }}
            {{- if .Values.broken }}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: "{{ .Release.Name }}-broken"}
            spec:
              selector: {matchLabels: {app: broken}}
              template:
                metadata: {labels: {app: broken}}
                spec: {containers: [{name: main, image: "graft.invalid/none:1"}]}
            {{- end }}
            """.Replace("GROUP", Group, StringComparison.Ordinal));
        return Path.Combine(_folder, "chart");
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, "chart", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}

[Collection(OnEmbedded.Name)]
public sealed class HelmTestsOnEmbedded(EmbeddedCluster cluster) : HelmTests(cluster);

[Collection(OnForeign.Name)]
public sealed class HelmTestsOnForeign(ForeignCluster cluster) : HelmTests(cluster);
