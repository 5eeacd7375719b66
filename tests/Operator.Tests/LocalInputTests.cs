using System.CommandLine;
using Graft.Operator.Api;
using Graft.Operator.Cli;
using Graft.Operator.Local;
using Graft.Operator.Sources;

namespace Graft.Operator.Tests;

public class LocalInputTests
{
    [Theory]
    [InlineData("kind: [", "line 2")]
    [InlineData("a: 1\na: 2", "line 2")]
    [InlineData("- just\n- a list", "a manifest is a map")]
    [InlineData("kind: FineTuneJob\nmetadata: {name: x}", "apiVersion: required")]
    [InlineData("apiVersion: v1\nmetadata: {name: x}", "kind: required")]
    [InlineData("apiVersion: v1\nkind: ConfigMap", "metadata.name: required")]
    public void A_manifest_that_cannot_be_read_names_its_file_and_what_is_wrong(string text, string words)
    {
        var error = Assert.Throws<LocalFailure>(() => ManifestFolder.Parse("broken.yaml", text));
        Assert.StartsWith("broken.yaml: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Documents_and_scalars_are_read_as_Kubernetes_reads_them()
    {
        var manifests = ManifestFolder.Parse("two.yaml", """
            # only a comment
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: one}
            data: {a: 2e-4, b: "2", c: yes, d: true, e: ~, f: 0.5, g: 12, i: -3, j: .nan, k: 1_000}
            ---
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: two}
            """);
        Assert.Equal(["one", "two"], manifests.Select(m => m.Name));
        Assert.Equal("""{"a":0.0002,"b":"2","c":"yes","d":true,"e":null,"f":0.5,"g":12,"i":-3,"j":".nan","k":"1_000"}""",
            manifests[0].Object["data"]!.ToJsonString());
    }

    [Fact]
    public void An_empty_folder_and_no_folder_are_said_to_be_so()
    {
        var folder = Directory.CreateTempSubdirectory("graft-empty-");
        Assert.Contains("no manifest", Assert.Throws<LocalFailure>(() => ManifestFolder.Read(folder.FullName)).Message,
            StringComparison.Ordinal);
        folder.Delete();
        Assert.Contains("no folder", Assert.Throws<LocalFailure>(() => ManifestFolder.Read(folder.FullName)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("local")]
    [InlineData("local folder --timeout soon", "--timeout")]
    [InlineData("local folder --claim data", "NAME=FOLDER")]
    [InlineData("local folder --model-source hf://org/model=/not/there", "/not/there")]
    [InlineData("local folder --surprise", "--surprise")]
    [InlineData("run --source-network 10.0.0.0", "write a network like 10.0.0.0/8")]
    [InlineData("run --hub-endpoint hub.example", "write https://HOST")]
    [InlineData("run --pod-access Sideways", "Sideways")]
    [InlineData("run --model-source hf://org/model=/", "--allow-file-sources")]
    [InlineData("run --data-source s3://bucket/x=/", "--allow-file-sources")]
    [InlineData("nonsense", "nonsense")]
    public void A_command_line_that_is_wrong_says_what(string line, string words = "")
    {
        var parsed = GraftCommand.Build().Parse(line);
        Assert.NotEmpty(parsed.Errors);
        Assert.Contains(parsed.Errors, e => e.Message.Contains(words, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("local samples/quickstart")]
    [InlineData("local samples/quickstart --keep --no-operator --timeout 10m --port 0")]
    [InlineData("local samples --model-source hf://a/b@main=/ --data-source s3://x=/ --claim data=/")]
    [InlineData("run --kubeconfig kubeconfig --trainer-image a --server-image b --namespace ml --pod-access Proxy --leader-elect")]
    [InlineData("run --service-address ClusterIP --allow-file-sources --file-root . --endpoint http://127.0.0.1:8081")]
    [InlineData("run --allow-file-sources --model-source hf://org/model=/ --data-source s3://bucket/x=/")]
    [InlineData("run --hub-endpoint https://hub.example --offline --source-network 10.0.0.0/8 --source-network fd00::/8")]
    [InlineData("local samples --cache /models --s3-endpoint http://minio:9000 --s3-region eu-1 --plain-http-registry registry:5000")]
    [InlineData("generate --output /tmp")]
    public void The_documented_command_lines_are_understood(string line) => Assert.Empty(GraftCommand.Build().Parse(line).Errors);

    [Fact]
    public void A_pair_splits_at_its_last_equals_sign_because_a_source_may_have_one() =>
        Assert.Equal(KeyValuePair.Create("hf://a?x=1", "/models/a"), SharedOptions.SplitPair("hf://a?x=1=/models/a"));

    [Fact]
    public void A_program_that_is_nowhere_is_named_with_the_option_that_would_help()
    {
        var error = Assert.Throws<LocalFailure>(() => ProgramFinder.Find("graft-trainer", "Trainer", null,
            "/nowhere/bin/Operator/release"));
        Assert.Contains("--trainer-program", error.Message, StringComparison.Ordinal);
        Assert.Contains("/nowhere/bin/Trainer/release/graft-trainer.dll", error.Message, StringComparison.Ordinal);
        Assert.Contains("/given", Assert.Throws<LocalFailure>(() => ProgramFinder.Find("graft-server", "Server", "/given", "/")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_operators_own_output_holds_nothing_of_libtorch()
    {
        var output = Path.GetDirectoryName(typeof(GraftCommand).Assembly.Location)!;
        var files = Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)).ToList();
        Assert.Contains("graft-operator.dll", files);
        Assert.DoesNotContain(files, f => f.Contains("torch", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("Graft.Modeling.dll", files);
    }

    [Fact]
    public void Prompts_come_from_prompts_txt_or_else_from_the_validation_rows()
    {
        var folder = Directory.CreateTempSubdirectory("graft-prompts-").FullName;
        var sources = new SourceOptions { AllowFiles = true, FileRoot = folder };
        var columns = new ColumnsSpec { Prompt = "q", Completion = "a" };
        var validation = new ValidationSpec { Sources = [new() { Source = "file://./valid.jsonl", Columns = columns }] };
        var run = Make.FineTuneJob(s => s with { Data = s.Data with { Validation = validation } });
        var rows = Enumerable.Range(0, 9).Select(i => $$"""{"q":"question {{i}}","a":"x"}""");
        File.WriteAllLines(Path.Combine(folder, "valid.jsonl"), rows);
        Assert.Equal(["question 0", "question 1", "question 2"], PromptComparison.Prompts(folder, [run], sources));
        File.WriteAllText(Path.Combine(folder, "prompts.txt"), "first\n\n second \n");
        Assert.Equal(["first", "second"], PromptComparison.Prompts(folder, [run], sources));
        Directory.Delete(folder, recursive: true);
    }
}
