using System.Text.Json.Nodes;

namespace Graft.Integration.Harness;

/// <summary>One version of the real program, that <c>make components</c> fetches, in one namespace.</summary>
internal sealed class KubectlProgram(string program, string kubeconfig, string space) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-kubectl-").FullName;

    public static TheoryData<string> Versions => ["1.29", "1.30", "1.31", "1.32", "1.33"];

    /// <summary>Skips the test where this version is not there.</summary>
    public static KubectlProgram Of(string version, string kubeconfig, string space)
    {
        var program = Path.Combine(Repository.Components, $"kubectl-{version}");
        Skip.IfNot(System.IO.File.Exists(program), $"kubectl {version} is not there: make components fetches it");
        return new(program, kubeconfig, space);
    }

    /// <summary>What it printed; fails when it fails.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        await using var run = await TryAsync(arguments);
        Assert.True(run.ExitCode == 0, $"kubectl {string.Join(' ', arguments)} ended with {run.ExitCode}:\n{run.Output}");
        return run.Output;
    }

    /// <summary>What stands at a path of an object.</summary>
    /// <param name="fields">A template of kubectl: <c>{.spec.replicas}</c>.</param>
    public async Task<string> FieldsAsync(string subject, string fields) =>
        (await RunAsync("get", subject, "-o", $"jsonpath={fields}")).Trim();

    public async Task<ProgramRun> TryAsync(params string[] arguments)
    {
        var run = Start(arguments);
        await run.WaitForExitAsync(Limit);
        return run;
    }

    public ProgramRun Start(params string[] arguments) => ProgramRun.Start(program, Arguments(arguments));

    /// <summary>With sets of applied objects, which kubectl hides behind a variable.</summary>
    public Task<string> ApplySetAsync(params string[] arguments) => RunWithAsync("KUBECTL_APPLYSET=true", arguments);

    /// <summary>Edits an object by an expression of sed.</summary>
    public Task<string> EditAsync(string expression, params string[] subject) =>
        RunWithAsync($"KUBE_EDITOR=sed -i '{expression}'", ["edit", .. subject]);

    private async Task<string> RunWithAsync(string variable, params string[] arguments)
    {
        await using var run = await ProgramRun.ToEndAsync("/usr/bin/env", [variable, program, .. Arguments(arguments)], Limit);
        Assert.True(run.ExitCode == 0, $"{variable} kubectl {string.Join(' ', arguments)} ended with {run.ExitCode}:\n{run.Output}");
        return run.Output;
    }

    private IEnumerable<string> Arguments(string[] arguments) =>
        ["--kubeconfig", kubeconfig, "--namespace", space, "--cache-dir", Path.Combine(_folder, "cache"), .. arguments];

    /// <summary>A file with this text, for <c>-f</c>.</summary>
    public string File(string text)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.yaml");
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    public string File(JsonObject manifest) => File(manifest.ToJsonString());

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
