using static TorchSharp.torch;

namespace Graft.Modeling.Runtime;

/// <summary>
/// Lets a kernel at the memory of tensors, and keeps the tensors until it is done: otherwise a tensor that nobody names any more could
/// be finalised, and its memory freed, while the kernel is in it.
/// </summary>
internal static unsafe class TensorMemory
{
    public delegate void One<T>(T* a) where T : unmanaged;
    public delegate void Two<T>(T* a, T* b) where T : unmanaged;
    public delegate void Three<T>(T* a, T* b, T* c) where T : unmanaged;
    public delegate void Four<T>(T* a, T* b, T* c, T* d) where T : unmanaged;
    public delegate void Five<T>(T* a, T* b, T* c, T* d, T* e) where T : unmanaged;

    public static void Use<T>(Tensor a, One<T> kernel) where T : unmanaged
    {
        kernel(At<T>(a));
        GC.KeepAlive(a);
    }

    public static void Use<T>(Tensor a, Tensor b, Two<T> kernel) where T : unmanaged
    {
        kernel(At<T>(a), At<T>(b));
        GC.KeepAlive(a);
        GC.KeepAlive(b);
    }

    public static void Use<T>(Tensor a, Tensor b, Tensor c, Three<T> kernel) where T : unmanaged
    {
        kernel(At<T>(a), At<T>(b), At<T>(c));
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
    }

    public static void Use<T>(Tensor a, Tensor b, Tensor c, Tensor d, Four<T> kernel) where T : unmanaged
    {
        kernel(At<T>(a), At<T>(b), At<T>(c), At<T>(d));
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
        GC.KeepAlive(d);
    }

    public static void Use<T>(Tensor a, Tensor b, Tensor c, Tensor d, Tensor e, Five<T> kernel) where T : unmanaged
    {
        kernel(At<T>(a), At<T>(b), At<T>(c), At<T>(d), At<T>(e));
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
        GC.KeepAlive(d);
        GC.KeepAlive(e);
    }

    private static T* At<T>(Tensor x) where T : unmanaged => (T*)Aten.DataPointer(x);
}
