using Graft.LocalCluster;
using Graft.Operator.Local;

namespace Graft.Operator.Tests;

public sealed class LocalFaultsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("graft-faults-").FullName;
    private readonly List<string> _said = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_without_a_plan_is_refused_by_its_name_and_its_fault()
    {
        using var log = Log();
        var failure = Assert.Throws<LocalFailure>(() => Read("rules: [{name: x, fault: {action: status, code: 418}}]", log));
        Assert.Contains("plan.yaml: rules[0].fault.code: Unsupported value: 418", failure.Message, StringComparison.Ordinal);
        Assert.Contains("nowhere.yaml", Assert.Throws<LocalFailure>(
            () => LocalFaults.Read(Path.Combine(_folder, "nowhere.yaml"), _folder, log, _said.Add)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crash_runs_its_command_and_what_happened_is_logged_and_kept()
    {
        var touched = Path.Combine(_folder, "touched");
        using (var log = Log())
        {
            using var faults = Read($"rules: [{{name: end, fault: {{action: crash, command: [touch, '{touched}']}}}}]", log);
            await using (var cluster = await LocalCluster.LocalCluster.StartAsync(
                new() { StateFolder = Path.Combine(_folder, "state"), Faults = faults.Injector }))
            using (var client = new Graft.Runtime.ApiClient(cluster.ClientConfiguration))
            {
                var map = new k8s.Models.V1ConfigMap { ApiVersion = "v1", Kind = "ConfigMap", Metadata = new() { Name = "a", NamespaceProperty = "default" } };
                await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.CreateAsync(map));
            }
        }
        Assert.True(File.Exists(touched));
        Assert.Equal("end", Assert.Single(FaultPlan.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "faults-replay.yaml"))).Rules).Name);
        Assert.Contains("1 fault of the plan happened", Assert.Single(_said), StringComparison.Ordinal);
        Assert.Contains("{\"action\":\"crash\"", await File.ReadAllTextAsync(Path.Combine(_folder, "operator.log")), StringComparison.Ordinal);
    }

    private FileLoggers Log() => new(Path.Combine(_folder, "operator.log"), TimeProvider.System);

    private LocalFaults Read(string plan, FileLoggers log)
    {
        var file = Path.Combine(_folder, "plan.yaml");
        File.WriteAllText(file, plan);
        return LocalFaults.Read(file, _folder, log, _said.Add);
    }
}
