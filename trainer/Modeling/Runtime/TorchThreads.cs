using System.Runtime.CompilerServices;
using TorchSharp;

namespace Graft.Modeling.Runtime;

/// <summary>Apart from <see cref="TorchRuntime"/>, which must not mention torch types before the natives are loaded.</summary>
internal static class TorchThreads
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Set(int count) => torch.set_num_threads(count);
}
