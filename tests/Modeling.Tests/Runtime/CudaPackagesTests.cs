using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Graft.Modeling.Tests.Runtime;

/// <summary>
/// What a build with <c>-p:TorchBackend=cuda</c> makes of TorchSharp's packages, on folders laid out as those packages are
/// (TorchSharp, <c>src/Redist/libtorch-cuda-12.8</c>): the libraries are spread over parts, and large ones cut in pieces.
/// </summary>
public sealed class CudaPackagesTests : IDisposable
{
    private const string Package = "libtorch-cuda-12.8-linux-x64", Version = "2.10.0";
    private readonly string folder = Directory.CreateTempSubdirectory("graft-cuda-").FullName;
    private readonly byte[] cpu = Bytes(3000, seed: 1), cuda = Bytes(23_000, seed: 2);

    public CudaPackagesTests()
    {
        Whole("part1", "libc10.so", "libc10_cuda.so", "libcudnn_ops.so.9", "libcudart-c3a75b33.so.12", "libtorchbind_test.so");
        Pieces("part2", "libtorch_cpu.so", cpu, size: 2000);
        Pieces("part3", "libtorch_cuda.so", cuda, size: 2000); // eleven fragments: 10 comes after 9, not after 1
        Whole("part9", "libtorch.so", "libcudnn_adv.so.9");
        var project = Path.Combine(folder, "Program.proj");
        File.WriteAllText(project, $"""
            <Project DefaultTargets="Build">
              <PropertyGroup>
                <NuGetPackageRoot>{Packages}</NuGetPackageRoot>
                <ArtifactsPath>{folder}/artifacts</ArtifactsPath>
                <LibtorchVersion>{Version}</LibtorchVersion>
                <TorchSharpVersion>0.107.0</TorchSharpVersion>
              </PropertyGroup>
              <Import Project="{Path.Combine(Fixtures.Root, "trainer/Modeling/Torch.targets")}" />
              <Target Name="ResolveAssemblyReferences">
                <ItemGroup><ReferencePath Include="/anywhere/TorchSharp.dll" /></ItemGroup>
              </Target>
              <Target Name="GenerateBuildRuntimeConfigurationFiles" />
              <Target Name="ComputeResolvedFilesToPublishList" />
              <Target Name="Build" DependsOnTargets="GenerateBuildRuntimeConfigurationFiles;ComputeResolvedFilesToPublishList">
                <WriteLinesToFile File="{folder}/folders" Lines="%(RuntimeHostConfigurationOption.Value)" Overwrite="true" />
                <WriteLinesToFile File="{folder}/published" Lines="@(ResolvedFileToPublish->'%(RelativePath)')" Overwrite="true" />
              </Target>
            </Project>
            """);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Packages => Path.Combine(folder, "packages");
    private string Gathered => Path.Combine(folder, "artifacts/libtorch", $"{Package}-{Version}");

    [Fact]
    public void The_parts_become_one_folder_that_the_program_names_and_publish_copies()
    {
        var (code, output) = Build();

        Assert.True(code == 0, output);
        Assert.Equal($"{Gathered}:{Packages}/torchsharp/0.107.0/runtimes/linux-x64/native",
            File.ReadAllText(Path.Combine(folder, "folders")).TrimEnd());
        Assert.Equal(cpu, File.ReadAllBytes(Path.Combine(Gathered, "libtorch_cpu.so")));
        Assert.Equal(cuda, File.ReadAllBytes(Path.Combine(Gathered, "libtorch_cuda.so")));
        Assert.NotNull(new FileInfo(Path.Combine(Gathered, "libcudnn_ops.so.9")).LinkTarget);
        Assert.Equal("libcudnn_ops.so.9", File.ReadAllText(Path.Combine(Gathered, "libcudnn_ops.so.9")));
        Assert.Equal(
            [
                "torch/libLibTorchSharp.so", "torch/libc10.so", "torch/libc10_cuda.so", "torch/libcudart-c3a75b33.so.12",
                "torch/libcudnn_adv.so.9", "torch/libcudnn_ops.so.9",
                "torch/libtorch.so", "torch/libtorch_cpu.so", "torch/libtorch_cuda.so",
            ],
            File.ReadAllLines(Path.Combine(folder, "published")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_second_build_does_nothing_and_one_after_the_packages_changed_gathers_again()
    {
        Build();
        var stitched = new FileInfo(Path.Combine(Gathered, "libtorch_cpu.so"));
        var written = stitched.LastWriteTimeUtc;

        Build();
        stitched.Refresh();
        Assert.Equal(written, stitched.LastWriteTimeUtc);

        // What TorchSharp's own build step leaves behind: the primary is whole, and its fragments are gone.
        File.WriteAllBytes(Native("part2-primary", "libtorch_cpu.so"), cpu);
        Directory.Delete(Path.Combine(Packages, $"{Package}-part2-fragment1"), recursive: true);
        Build();

        Assert.Equal(Native("part2-primary", "libtorch_cpu.so"), new FileInfo(stitched.FullName).LinkTarget);
        Assert.Equal(cpu, File.ReadAllBytes(stitched.FullName));
    }

    [Fact]
    public void A_missing_piece_a_missing_library_and_missing_packages_are_named()
    {
        Directory.Delete(Path.Combine(Packages, $"{Package}-part3-fragment7"), recursive: true);
        Fails("libtorch_cuda.so from ");

        Pieces("part3", "libtorch_cuda.so", cuda, size: 2000);
        File.Delete(Native("part9", "libtorch.so"));
        Fails("libtorch.so is in none of the packages");

        Directory.Delete(Packages, recursive: true);
        Fails("GRAFT_LIBTORCH");
    }

    private void Fails(string expected)
    {
        var (code, output) = Build();
        Assert.NotEqual(0, code);
        Assert.Contains(": error : ", output, StringComparison.Ordinal);
        Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    private (int Code, string Output) Build()
    {
        string[] arguments = ["msbuild", Path.Combine(folder, "Program.proj"), "-p:TorchBackend=cuda", "-nologo", "-nr:false"];
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardOutput = true,
        };
        using var build = Process.Start(start)!;
        var output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        return (build.ExitCode, output);
    }

    private string Native(string part, string file) =>
        Path.Combine(Packages, $"{Package}-{part}", Version, "runtimes/linux-x64/native", file);

    private void Whole(string part, params string[] files)
    {
        foreach (var file in files) Write(Native(part, file), Encoding.UTF8.GetBytes(file));
    }

    private void Pieces(string part, string file, byte[] bytes, int size)
    {
        Write(Native(part + "-primary", file), bytes[..size]);
        Write(Native(part + "-primary", file + ".sha"), Encoding.UTF8.GetBytes(Convert.ToHexStringLower(SHA256.HashData(bytes))));
        foreach (var (piece, i) in bytes[size..].Chunk(size).Select((p, i) => (p, i + 1)))
        {
            var package = Path.Combine(Packages, $"{Package}-{part}-fragment{i}", Version);
            Write(Path.Combine(package, "fragments/linux-x64/native", $"{file}.fragment{i}"), piece);
        }
    }

    private static void Write(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    private static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
