using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Graft.Modeling;

using Graft.Modeling.Runtime;

/// <param name="Threads">Threads of one operator; null: as many as the process may use processors.</param>
/// <param name="LibtorchFolder">Folder of another libtorch; null: what the variable <c>GRAFT_LIBTORCH</c> names, if anything.</param>
public sealed record TorchRuntimeOptions(int? Threads = null, string? LibtorchFolder = null);

/// <param name="LibtorchFolder">Where libtorch was loaded from.</param>
/// <param name="Shim">Where TorchSharp's own native library was loaded from.</param>
/// <param name="Weakened">True when the library needed a newer libstdc++ than this machine has and was loaded with that need weakened.</param>
public sealed record TorchRuntimeInfo(string LibtorchFolder, string Shim, bool Weakened);

/// <summary>libtorch, or TorchSharp's library for it, cannot be loaded; the message says what was looked for and where.</summary>
public sealed class TorchRuntimeException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Loads libtorch and TorchSharp's native library into the process. Call <see cref="Load"/> first thing in <c>Main</c>, in a
/// method that mentions no torch type: the first such method that is compiled makes TorchSharp look for its natives itself.
/// </summary>
public static class TorchRuntime
{
    public const string LibtorchVariable = "GRAFT_LIBTORCH";
    private const string FoldersSetting = "Graft.Torch.NativeFolders";
    private const string ShimName = "libLibTorchSharp.so";

    // TorchSharp's library is built with GCC 13 and thereby needs this version of libstdc++ for one symbol, which
    // nothing in it calls: it only tells that the standard streams are initialised by the library itself.
    private const string NewestLibstdcxx = "GLIBCXX_3.4.32";
    private static readonly HashSet<string> Harmless = ["_ZSt21ios_base_library_initv"];

    private static readonly Lock Gate = new();
    private static TorchRuntimeInfo? loaded;

    /// <summary>Loads once for the process; later calls return what the first one did.</summary>
    /// <exception cref="TorchRuntimeException">A library is missing or does not load.</exception>
    public static TorchRuntimeInfo Load(TorchRuntimeOptions? options = null)
    {
        lock (Gate) return loaded ??= LoadOnce(options ?? new TorchRuntimeOptions());
    }

    private static TorchRuntimeInfo LoadOnce(TorchRuntimeOptions options)
    {
        TuneProcess();
        var own = options.LibtorchFolder ?? Environment.GetEnvironmentVariable(LibtorchVariable);
        var folders = Folders(string.IsNullOrEmpty(own) ? null : own);
        var libtorch = FolderWith("libtorch_cpu.so", folders);
        foreach (var name in new[] { "libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so" })
        {
            var path = Path.Combine(libtorch, name);
            var optional = name.Contains("cuda", StringComparison.Ordinal);
            if (optional && !File.Exists(path)) continue;
            LoadLibrary(path);
        }
        var shim = Path.Combine(FolderWith(ShimName, folders), ShimName);
        var weakened = !NativeLibrary.TryLoad(shim, out _);
        if (weakened) LoadWeakened(shim);
        TorchThreads.Set(options.Threads ?? Environment.ProcessorCount);
        return new TorchRuntimeInfo(libtorch, shim, weakened);
    }

    /// <summary>
    /// Waiting OpenMP threads sleep rather than spin: on a machine with other work, spinning costs several times the step. They
    /// spin for some microseconds first, which is as long as most waits are, and a fifth faster than sleeping at once.
    /// Large temporaries come from the heap rather than from fresh pages, which the kernel would have to clear each time.
    /// </summary>
    private static void TuneProcess()
    {
        _ = Libc.SetEnvironment("OMP_WAIT_POLICY", "passive", 0);
        _ = Libc.SetEnvironment("GOMP_SPINCOUNT", "5000", 0);
        try
        {
            _ = Libc.Mallopt(Libc.MmapThreshold, 1 << 30);
            _ = Libc.Mallopt(Libc.TrimThreshold, int.MaxValue);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without mallopt: nothing to tune.
        }
    }

    /// <summary>In the order of search: the person's own folder, the program's, the package folders named at build time.</summary>
    internal static List<string> Folders(string? own)
    {
        var app = AppContext.BaseDirectory;
        var built = AppContext.GetData(FoldersSetting) as string ?? "";
        List<string> folders = [Path.Combine(app, "torch"), app, .. built.Split(':', StringSplitOptions.RemoveEmptyEntries)];
        if (own is null) return folders;
        if (!File.Exists(Path.Combine(own, "libtorch_cpu.so")))
            throw new TorchRuntimeException($"{LibtorchVariable} names {own}, where there is no libtorch_cpu.so; name the folder that holds it.");
        return [Path.GetFullPath(own), .. folders];
    }

    private static string FolderWith(string name, List<string> folders) =>
        folders.Find(f => File.Exists(Path.Combine(f, name)))
        ?? throw new TorchRuntimeException(
            $"{name} was not found in any of: {string.Join(", ", folders)}. Restore the solution's packages, or name a folder with {LibtorchVariable}.");

    private static void LoadLibrary(string path)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new TorchRuntimeException($"{path} does not load: {e.Message}", e);
        }
    }

    /// <summary>
    /// Loads the shim from anonymous memory with its need of a newer libstdc++ made weak. TorchSharp then finds it by its
    /// SONAME. Memory, because a copy on disk would have to be guarded against other users and half-written files.
    /// </summary>
    private static void LoadWeakened(string shim)
    {
        ElfVersions elf;
        try
        {
            elf = new ElfVersions(File.ReadAllBytes(shim));
            var symbols = elf.SymbolsOf(NewestLibstdcxx);
            if (symbols is null || !symbols.All(Harmless.Contains)) LoadLibrary(shim);
            elf.Weaken(NewestLibstdcxx);
        }
        catch (InvalidDataException e)
        {
            throw new TorchRuntimeException($"{shim} does not load and is damaged: {e.Message}.", e);
        }
        var file = Libc.MemfdCreate(ShimName, Libc.MemfdCloseOnExec);
        if (file < 0) throw new TorchRuntimeException($"{shim} needs a newer libstdc++ than this machine's, and memfd_create failed.");
        using var handle = new SafeFileHandle(file, ownsHandle: true);
        RandomAccess.Write(handle, elf.Bytes.Span, 0);
        LoadLibrary($"/proc/self/fd/{file}");
    }
}
