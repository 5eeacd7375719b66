using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Runtime;

[Collection(TorchCollection.Name)]
public sealed class TorchRuntimeTests
{
    [Fact]
    public void Torch_computes_in_this_process()
    {
        using var scope = NewDisposeScope();
        var x = ones(3, 4, requires_grad: true);
        var y = x.matmul(x.transpose(0, 1)).sum();
        y.backward();
        Assert.Equal(36f, y.item<float>());
        Assert.Equal(6f, x.grad![0, 0].item<float>());
    }

    [Fact]
    public void Natives_stay_in_the_package_folder()
    {
        var info = TorchRuntime.Load();
        Assert.DoesNotContain(Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories), IsNative);
        Assert.False(info.LibtorchFolder.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal));
    }

    private static bool IsNative(string path)
    {
        var name = Path.GetFileName(path);
        return name.StartsWith("libtorch", StringComparison.Ordinal) || name.StartsWith("libLibTorchSharp", StringComparison.Ordinal)
            || name.StartsWith("libSkia", StringComparison.Ordinal) || name.StartsWith("LibTorchSharp", StringComparison.Ordinal);
    }
}
