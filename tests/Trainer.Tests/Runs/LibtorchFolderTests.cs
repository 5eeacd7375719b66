using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Tests.Support;

namespace Graft.Trainer.Tests.Runs;

/// <summary><c>GRAFT_LIBTORCH</c>: a libtorch from another folder than the one that was restored.</summary>
[Collection(TorchCollection.Name)]
public sealed class LibtorchFolderTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_folder_of_links_to_the_natives_is_what_the_program_runs_with()
    {
        Directory.CreateDirectory(folder["libtorch"]);
        foreach (var native in Directory.GetFiles(TorchRuntime.Load().LibtorchFolder))
            File.CreateSymbolicLink(folder["libtorch", Path.GetFileName(native)], native);

        // The loader writes down under which names it opened what.
        using var run = TrainerProcess.Start(folder, Generate, null,
            ("GRAFT_LIBTORCH", folder["libtorch"]), ("LD_DEBUG", "files"), ("LD_DEBUG_OUTPUT", folder["loader"]));

        Assert.True(run.Wait() == 0, run.Output);
        var opened = File.ReadAllText($"{folder["loader"]}.{run.Id}");
        foreach (var name in (string[])["libc10.so", "libtorch_cpu.so", "libtorch.so"])
            Assert.Contains($"file={folder["libtorch", name]} ", opened, StringComparison.Ordinal);
        Assert.DoesNotContain($"file={TorchRuntime.Load().LibtorchFolder}", opened, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_libtorch_is_the_machines_fault()
    {
        using var run = TrainerProcess.Start(folder, Generate, null, ("GRAFT_LIBTORCH", folder.Path));

        Assert.Equal(ExitCodes.Of(FailureClass.Infrastructure), run.Wait());
        Assert.Contains($"GRAFT_LIBTORCH names {folder.Path}, where there is no libtorch_cpu.so", run.Output, StringComparison.Ordinal);
    }

    private static string[] Generate =>
        ["generate", "--model", Repository.Sample("quickstart", "model"), "--prompt", "Hello", "--max-tokens", "2"];
}
