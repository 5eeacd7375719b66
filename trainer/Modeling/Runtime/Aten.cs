using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Graft.Modeling.Runtime;

/// <summary>
/// Operators that TorchSharp has no method for, through libtorch's stable C interface (<c>torch/csrc/stable/c/shim.h</c>):
/// its handles are <c>at::Tensor*</c>, the same as <see cref="Tensor.Handle"/>. Arguments lie on a stack of 64-bit words; the call
/// consumes the handles it is given and puts its results in their place. Calls by name go through autograd.
/// </summary>
internal static unsafe partial class Aten
{
    private const string Library = "libtorch_cpu.so";

    [LibraryImport(Library, EntryPoint = "aoti_torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CallDispatcher(string name, string overload, ulong* stack);

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewHandle(nint tensor, out nint copy);

    [LibraryImport(Library, EntryPoint = "aoti_torch_get_data_ptr")]
    private static partial int GetDataPointer(nint tensor, out nint data);

    [LibraryImport(Library, EntryPoint = "aoti_torch_create_tensor_from_blob")]
    private static partial int CreateFromBlob(
        nint data, long dimensions, long* sizes, long* strides, long offset, int dtype, int deviceType, int deviceIndex, out nint tensor);

    /// <summary>A CPU tensor over memory that somebody else owns and keeps until the tensor is gone.</summary>
    public static Tensor FromMemory(nint data, ReadOnlySpan<long> shape, ScalarType dtype)
    {
        var sizes = stackalloc long[shape.Length + 1];
        var strides = stackalloc long[shape.Length + 1];
        long stride = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            sizes[i] = shape[i];
            strides[i] = stride;
            stride *= Math.Max(1, shape[i]);
        }
        Check(CreateFromBlob(data, shape.Length, sizes, strides, 0, (int)dtype, 0, -1, out var tensor), "create_tensor_from_blob");
        return Tensor.UnsafeCreateTensor(tensor);
    }

    /// <summary>Address of a tensor's first element; the tensor must outlive its use.</summary>
    public static nint DataPointer(Tensor tensor)
    {
        Check(GetDataPointer(tensor.Handle, out var data), "get_data_ptr");
        return data;
    }

    /// <summary>
    /// Attention softmax(q k' / sqrt(D)) v in which each key head serves several query heads.
    /// </summary>
    /// <param name="query">(B, H, T, D).</param>
    /// <param name="key">(B, G, S, D), H a multiple of G.</param>
    /// <param name="value">(B, G, S, D).</param>
    /// <param name="causal">Query i sees the keys up to i; T = S.</param>
    /// <returns>(B, H, T, D).</returns>
    public static Tensor GroupedQueryAttention(Tensor query, Tensor key, Tensor value, bool causal)
    {
        var stack = stackalloc ulong[8];
        stack[0] = Own(query);
        stack[1] = Own(key);
        stack[2] = Own(value);
        stack[3] = 0;                                       // attn_mask: none
        stack[4] = BitConverter.DoubleToUInt64Bits(0.0);    // dropout_p
        stack[5] = causal ? 1UL : 0UL;
        stack[6] = 0;                                       // scale: 1 / sqrt(D)
        stack[7] = 1;                                       // enable_gqa
        Check(CallDispatcher("aten::scaled_dot_product_attention", "", stack), "scaled_dot_product_attention");
        return Tensor.UnsafeCreateTensor((nint)stack[0]);
    }

    [LibraryImport(Library, EntryPoint = OneDnnLinearName, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LinearPointwise(
        nint x, nint weight, nint* bias, string attribute, double*** scalars, long scalarCount, byte** algorithm, out nint result);

    private const string OneDnnLinearName = "aoti_torch_cpu__linear_pointwise";

    /// <summary>Another libtorch than ours, or one for another processor, may be without oneDNN.</summary>
    public static bool HasOneDnnLinear { get; } =
        NativeLibrary.TryLoad(Library, out var library) && NativeLibrary.TryGetExport(library, OneDnnLinearName, out _);

    /// <summary>x w' by oneDNN, on the processor and outside the graph.</summary>
    /// <param name="x">(N, in), of any strides.</param>
    /// <param name="weight">(out, in), of any strides.</param>
    /// <returns>(N, out).</returns>
    public static Tensor OneDnnLinear(Tensor x, Tensor weight)
    {
        Check(LinearPointwise(x.Handle, weight.Handle, null, "none", null, 0, null, out var result), "linear_pointwise");
        return Tensor.UnsafeCreateTensor(result);
    }

    private static ulong Own(Tensor tensor)
    {
        Check(NewHandle(tensor.Handle, out var copy), "new_tensor_handle");
        return (ulong)copy;
    }

    private static void Check(int result, string what)
    {
        if (result != 0) throw new InvalidOperationException($"libtorch refused {what}; its own message is on standard error.");
    }
}
