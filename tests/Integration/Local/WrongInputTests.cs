using System.Net;
using System.Net.Sockets;
using System.Text;
using Graft.Integration.Harness;

namespace Graft.Integration.Local;

/// <summary>Whatever is wrong: the last line names it, the exit code tells, and no process is left.</summary>
public sealed class WrongInputTests : LocalTests
{
    public static TheoryData<string, string, string, string> WrongFiles => new()
    {
        { "finetunejob.yaml", "method:", "methd:", "methd" },
        { "finetunejob.yaml", "  output:\n    pvc: {claimName: adapters}\n", "", "finetunejob.yaml: spec.output" },
        { "finetunejob.yaml", "kind: FineTuneJob", "kind: FineTuneJobb", "FineTuneJobb" },
        { "finetunejob.yaml", "apiVersion: graft.dev/v1alpha1", "apiVersion: graft.dev/v9", "graft.dev/v9" },
        { "finetunejob.yaml", "file://./model", "gs://someone/something", "gs://someone/something" },
        { "finetunejob.yaml", "file://./model", "file://./../../../etc", "etc" },
        { "finetunejob.yaml", "file://./data/train.jsonl", "file://./data/nothing.jsonl", "nothing.jsonl" },
        { "finetunejob.yaml", "spec:", "spec:\n  trainer: {image: \"example.com/somebody/trainer:1\"}", "example.com/somebody/trainer:1" },
        { "finetunejob.yaml", "maxLength: 128", "maxLength: 8", "no supervised token" },
        { "data/train.jsonl", "\"completion\"", "\"answer\"", "train.jsonl" },
        { "model/config.json", "\"llama\"", "\"lama\"", "lama" },
    };

    [Theory]
    [MemberData(nameof(WrongFiles))]
    public async Task What_is_wrong_in_a_file_is_named_in_the_last_line(string file, string from, string to, string named)
    {
        var sample = ShortSample();
        Sample.Change(sample, file, from, to);
        await using var run = Start(sample);
        await EndAsync(run);

        AssertFails(run, named);
    }

    [Fact]
    public async Task A_broken_line_is_named_by_its_number()
    {
        var sample = ShortSample();
        var data = Path.Combine(sample, "data", "train.jsonl");
        var lines = File.ReadAllLines(data);
        lines[1] = lines[1][..^5];
        File.WriteAllLines(data, lines);
        await using var run = Start(sample);
        await EndAsync(run);

        AssertFails(run, "train.jsonl line 2");
    }

    [Fact]
    public async Task Weights_that_are_cut_short_are_named()
    {
        var sample = ShortSample();
        var weights = Path.Combine(sample, "model", "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^100]);
        await using var run = Start(sample);
        await EndAsync(run);

        AssertFails(run, "model.safetensors");
    }

    [Fact]
    public async Task A_GGUF_file_that_is_cut_short_is_named()
    {
        var sample = ShortSample();
        Sample.Change(sample, "finetunejob.yaml", "file://./model", "file://./model.gguf");
        // The header promises two tensors and one key, and then nothing comes.
        byte[] header = [.. Encoding.ASCII.GetBytes("GGUF"), 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        File.WriteAllBytes(Path.Combine(sample, "model.gguf"), header);
        await using var run = Start(sample);
        await EndAsync(run);

        AssertFails(run, "model.gguf");
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_named()
    {
        await using var run = Start(Path.Combine(Folder, "nowhere"));
        await EndAsync(run);

        AssertFails(run, "nowhere");
    }

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = $"{((IPEndPoint)taken.LocalEndpoint).Port}";
        await using var run = Start(ShortSample(), "--port", port);
        await EndAsync(run);

        AssertFails(run, port);
    }

    [SkippableTheory]
    [InlineData("ro")]
    [InlineData("size=4k")]
    public async Task A_state_folder_that_is_read_only_or_full_is_named(string mount)
    {
        await using var run = await StartOnAsync(State, mount, "--state", State);
        await EndAsync(run);

        AssertFails(run, State);
    }

    [SkippableFact]
    public async Task A_volume_without_room_for_the_adapter_is_the_outputs_error()
    {
        var volume = Path.Combine(Folder, "small");
        await using var run = await StartOnAsync(volume, "size=64k", "--state", State, "--claim", $"adapters={volume}");
        await EndAsync(run);

        AssertFails(run, "OutputError");
    }

    /// <summary>Starts <c>local</c> where a small or read-only file system lies at a folder, which nobody else sees.</summary>
    private async Task<ProgramRun> StartOnAsync(string folder, string mount, params string[] arguments)
    {
        Directory.CreateDirectory(folder);
        const string MountAndGoOn = "mount -t tmpfs -o $0 tmpfs $1 && shift && exec \"$@\"";
        string[] prefix = ["--mount", "--user", "--map-root-user", "--", "/bin/sh", "-c", MountAndGoOn, mount, folder];
        await using (var probe = await ProgramRun.ToEndAsync("unshare", [.. prefix, "true"], GoneLimit))
            Skip.IfNot(probe.ExitCode == 0, $"this kernel lets nobody mount a file system of their own: {probe.LastLine}");
        return ProgramRun.Start("unshare", [.. prefix, Repository.OperatorProgram, "local", ShortSample(), .. arguments]);
    }
}
