namespace Graft.Integration.Harness;

/// <summary>
/// An API server that tests run against, with an operator beside it as a process of its own, outside the cluster. There are two: the
/// embedded one and a person's own; the tests do not know which.
/// </summary>
public abstract class Cluster : IAsyncLifetime
{
    protected static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private ProgramRun? _operator;
    private Api? _api;

    public abstract string TrainerImage { get; }
    public abstract string ServerImage { get; }
    public virtual string? StorageClass => null;

    /// <summary>Why nothing can be tested here; null when something can.</summary>
    public virtual string? Missing => null;

    /// <summary>Why no pod of ours could run here; null when one could.</summary>
    public virtual string? MissingForPods => Missing;

    /// <summary>Why the processes of its pods cannot be seen from here; null when they can.</summary>
    public virtual string? MissingForNode => MissingForPods;

    /// <summary>Why a pod of ours could not use a GPU even if it got one; null when it could.</summary>
    public virtual string? MissingForGpu => MissingForPods;

    internal Api Api => _api ?? throw new InvalidOperationException("the cluster has not started");
    internal ProgramRun Operator => _operator ?? throw new InvalidOperationException("the operator has not started");

    /// <summary>The end of what the operator printed, for a failure's message.</summary>
    internal string OperatorOutput =>
        _operator is null ? "" : "\noperator:\n" + string.Join('\n', _operator.Output.Split('\n').TakeLast(30));

    protected virtual IReadOnlyList<string> OperatorArguments => [];

    /// <summary>Starts the API server where it is not there yet, and says how it is reached.</summary>
    private protected abstract Task<string> KubeconfigAsync();

    public async Task InitializeAsync()
    {
        if (Missing is not null) return;
        _api = new Api(await KubeconfigAsync());
        await ApplyDefinitionsAsync();
        await StartOperatorAsync();
    }

    public virtual async Task DisposeAsync()
    {
        if (_operator is not null) await _operator.DisposeAsync();
        _api?.Dispose();
    }

    /// <summary>Kills the operator as a node failure would.</summary>
    internal async Task KillOperatorAsync()
    {
        Operator.Kill();
        await Operator.WaitForExitAsync(TimeSpan.FromSeconds(10));
    }

    internal async Task StartOperatorAsync()
    {
        _operator = ProgramRun.Start(
            Repository.OperatorProgram,
            ["run", "--kubeconfig", Api.Kubeconfig, "--trainer-image", TrainerImage, "--server-image", ServerImage, .. OperatorArguments]);
        await _operator.LineWithAsync("Controller finetunejob starts", StartLimit);
    }

    private async Task ApplyDefinitionsAsync()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "crds"), "*.yaml").Order())
        {
            if (Path.GetFileName(file) == "kustomization.yaml") continue;
            var definition = Yaml.Read(await File.ReadAllTextAsync(file));
            var path = $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition.Text("metadata.name")}";
            (await Api.ApplyAsync(path, definition)).Object();
            await Poll.UntilAsync($"{path} is established", StartLimit,
                async () => (await Api.FindAsync(path)).ConditionStatus("Established") == "True");
        }
    }
}
