using System.Diagnostics;

namespace Graft.LocalCluster.Tests.Api;

/// <summary>What people type, with the versions of kubectl that <c>make components</c> fetches.</summary>
public sealed class KubectlTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private const string Definition = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.com}
        spec:
          group: example.com
          scope: Namespaced
          names: {kind: Widget, plural: widgets, shortNames: [wd]}
          versions:
          - name: v1
            served: true
            storage: true
            subresources: {status: {}}
            additionalPrinterColumns: [{name: Color, type: string, jsonPath: .spec.color}]
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec: {type: object, properties: {color: {type: string, description: Its color.}, rate: {type: number}}}
                  status: {type: object, x-kubernetes-preserve-unknown-fields: true}
        """;

    private const string Widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {color: Red, rate: 2e-4}\n";

    private const string Service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {a: b}, ports: [{port: 80}]}\n";

    private string _program = "";

    public static TheoryData<string> Versions => ["1.29", "1.30", "1.31", "1.32", "1.33"];

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task A_custom_kind_is_applied_shown_explained_waited_for_and_deleted(string version)
    {
        Use(version);
        await RunAsync(Definition, "apply", "-f", "-");
        await RunAsync("", "wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=10s");
        Assert.Contains("widget.example.com/w created", await RunAsync(Widget, "apply", "-f", "-"), StringComparison.Ordinal);
        Assert.Contains("widget.example.com/w unchanged", await RunAsync(Widget, "apply", "-f", "-"), StringComparison.Ordinal);
        await RunAsync(Widget, "diff", "-f", "-");
        Assert.Contains("serverside-applied", await RunAsync(Widget, "apply", "--server-side", "-f", "-"), StringComparison.Ordinal);
        await RunAsync(Widget, "diff", "--server-side", "-f", "-");
        Assert.Contains("configured", await RunAsync(Widget.Replace("Red", "Green", StringComparison.Ordinal), "apply", "-f", "-"),
            StringComparison.Ordinal);
        Assert.Matches(@"NAME\s+COLOR\s+w\s+Green", await RunAsync("", "get", "wd"));
        Assert.Contains("Its color.", await RunAsync("", "explain", "wd.spec.color"), StringComparison.Ordinal);
        Assert.Contains("Color:", await RunAsync("", "describe", "wd", "w"), StringComparison.Ordinal);
        await RunAsync("", "patch", "wd", "w", "--subresource=status", "--type=merge", "-p", """{"status":{"conditions":[{"type":"Ready","status":"True"}]}}""");
        await RunAsync("", "wait", "--for=condition=Ready", "wd/w", "--timeout=10s");
        await RunAsync("", "delete", "wd", "w", "--timeout=10s");
        Assert.Contains("yes", await RunAsync("", "auth", "can-i", "create", "widgets.example.com"), StringComparison.Ordinal);
        var (code, answer) = await ExecuteAsync(
            "", "auth", "can-i", "create", "widgets.example.com", "--token", cluster.Cluster.ConnectAs("nobody").AccessToken);
        Assert.Equal((1, true), (code, answer.Contains("no", StringComparison.Ordinal)));
        await RunAsync("", "delete", "crd", "widgets.example.com", "--timeout=10s");
    }

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task A_built_in_kind_is_applied_from_both_sides(string version)
    {
        Use(version);
        await RunAsync(Service, "apply", "-f", "-");
        await RunAsync(Service.Replace("80", "81", StringComparison.Ordinal), "apply", "-f", "-");
        Assert.Contains("81/TCP", await RunAsync("", "get", "svc", "s"), StringComparison.Ordinal);
        await RunAsync(Service.Replace("80", "81", StringComparison.Ordinal), "apply", "--server-side", "-f", "-");
        await RunAsync(Service.Replace("80", "81", StringComparison.Ordinal), "diff", "-f", "-");
        Assert.Contains("Port:", await RunAsync("", "describe", "svc", "s"), StringComparison.Ordinal);
        await RunAsync("", "delete", "svc", "s", "--timeout=10s");
    }

    private static readonly (string Manifest, string Message)[] Mistakes =
    [
        ("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {port: 80}\n", "unknown field \"spec.port\""),
        ("apiVersion: example.org/v1\nkind: Nope\nmetadata: {name: x}\n", "no matches for kind \"Nope\" in version \"example.org/v1\""),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: X}\nspec: {ports: [{port: 0}]}\n", "The Service \"X\" is invalid"),
    ];

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task Mistakes_are_told(string version)
    {
        Use(version);
        foreach (var (manifest, message) in Mistakes)
        {
            var (code, text) = await ExecuteAsync(manifest, "apply", "-f", "-");
            Assert.NotEqual(0, code);
            Assert.Contains(message, text, StringComparison.Ordinal);
        }
    }

    private static string? Components { get; } = Above(AppContext.BaseDirectory)
        .Select(folder => Path.Combine(folder, "artifacts", "components")).FirstOrDefault(Directory.Exists);

    private static IEnumerable<string> Above(string? folder)
    {
        for (; folder is not null; folder = Path.GetDirectoryName(folder)) yield return folder;
    }

    private void Use(string version)
    {
        _program = Path.Combine(Components ?? "", $"kubectl-{version}");
        Skip.IfNot(File.Exists(_program), $"kubectl {version} is not there: make components fetches it");
    }

    private async Task<string> RunAsync(string input, params string[] arguments)
    {
        var (code, text) = await ExecuteAsync(input, arguments);
        Assert.True(code == 0, $"kubectl {string.Join(' ', arguments)} ended with {code}: {text}");
        return text;
    }

    private async Task<(int Code, string Text)> ExecuteAsync(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(_program, ["--kubeconfig", cluster.Cluster.KubeconfigPath, "--cache-dir",
            Path.GetDirectoryName(cluster.Cluster.KubeconfigPath)!, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output + await error);
    }
}
