using System.Collections.Concurrent;
using Graft.Modeling;
using Graft.Server.Engine;
using Graft.Server.Hosting;
using Graft.Server.Protocol;

namespace Graft.Server.Adapters;

/// <summary>The adapters that requests can name. One load or unload at a time; requests are never held up by either.</summary>
internal sealed partial class AdapterStore(
    InferenceEngine engine, AdapterPaths paths, int maxAdapters, string baseName, ServerMetrics metrics, TimeProvider clock,
    ILogger<AdapterStore> log) : IDisposable
{
    private const int MaxNameLength = 253;
    private readonly ConcurrentDictionary<string, AdapterSlot> slots = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim changes = new(1);

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<AdapterSlot> List => [.. slots.Values.OrderBy(s => s.Name, StringComparer.Ordinal)];

    /// <summary>A hold on the adapter, or null when none has that name.</summary>
    public AdapterLease? TryLease(string name)
    {
        // A slot that was found and is retired has left the table already: its name is gone, or means another one by now.
        while (slots.TryGetValue(name, out var slot))
        {
            if (slot.TryLease() is { } lease) return lease;
        }
        return null;
    }

    /// <summary>
    /// Loads an adapter. With <c>load_inplace</c> it takes the place of the one that has its name, if any: requests get the old one
    /// until the new one is ready, every answer keeps the one that it began with, and an adapter that is refused changes nothing.
    /// </summary>
    /// <exception cref="ApiException">Anything that vLLM would answer: 400, 404 or 500.</exception>
    public async Task LoadAsync(LoadAdapterRequest request, CancellationToken cancel)
    {
        var (name, path) = Validate(request);
        var facts = engine.Facts;
        await changes.WaitAsync(cancel);
        try
        {
            var replaced = slots.GetValueOrDefault(name);
            if (replaced is not null && request.LoadInplace != true)
            {
                throw ApiException.InvalidInput(
                    $"The lora adapter '{name}' has already been loaded. "
                    + "If you want to load the adapter in place, set 'load_inplace' to True.",
                    "lora_name");
            }
            var location = paths.Find(path);
            if (replaced is null && slots.Count >= maxAdapters)
            {
                throw ApiException.InvalidInput(
                    $"{maxAdapters} adapters are loaded, which is all that --max-adapters allows. Unload one first.", "lora_name");
            }
            var weights = await ReadAsync(name, location, facts);
            slots[name] = new AdapterSlot(name, path, weights, clock.GetUtcNow().ToUnixTimeSeconds(), w => engine.Post(w.Dispose));
            replaced?.Retire();
            metrics.AdapterLoaded(name, slots.Count);
            Loaded(log, name, path);
        }
        finally
        {
            changes.Release();
        }
    }

    /// <summary>
    /// From now on no request gets the adapter. Those that have it go on with it, and its memory is given back after the last.
    /// </summary>
    public async Task UnloadAsync(UnloadAdapterRequest request, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(request.LoraName)) throw ApiException.InvalidInput("'lora_name' must be provided.", "lora_name");
        await changes.WaitAsync(cancel);
        try
        {
            if (!slots.TryRemove(request.LoraName, out var slot))
            {
                throw ApiException.NotFound($"The lora adapter '{request.LoraName}' cannot be found.", "lora_name");
            }
            slot.Retire();
            metrics.AdapterUnloaded(slot.Name, slots.Count);
            Unloaded(log, slot.Name);
        }
        finally
        {
            changes.Release();
        }
    }

    public void Dispose() => changes.Dispose();

    private (string Name, string Path) Validate(LoadAdapterRequest request)
    {
        if (string.IsNullOrEmpty(request.LoraName) || string.IsNullOrEmpty(request.LoraPath))
        {
            throw ApiException.InvalidInput("Both 'lora_name' and 'lora_path' must be provided.");
        }
        if (request.LoraName.Length > MaxNameLength || request.LoraName.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
        {
            throw ApiException.InvalidInput($"'lora_name' must have at most {MaxNameLength} characters and no white space.", "lora_name");
        }
        if (request.LoraName == baseName) throw ApiException.InvalidInput($"'{baseName}' is the name of the base model.", "lora_name");
        return (request.LoraName, request.LoraPath);
    }

    private async Task<IDisposable> ReadAsync(string name, AdapterLocation location, ModelFacts facts)
    {
        try
        {
            AdapterFolder.Check(location, facts.Digest);
            return await engine.InvokeAsync(model => model.LoadAdapter(name, location.Folder, location.Root));
        }
        catch (ApiException e)
        {
            Refused(log, name, location.Name, e.Message);
            throw;
        }
        catch (Exception e) when (e is ModelFormatException or IOException or UnauthorizedAccessException)
        {
            Refused(log, name, location.Name, e.Message);
            throw AdapterFolder.Refused(location, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Information, "Adapter {Name} loaded from {Path}")]
    private static partial void Loaded(ILogger log, string name, string path);

    [LoggerMessage(LogLevel.Information, "Adapter {Name} unloaded")]
    private static partial void Unloaded(ILogger log, string name);

    [LoggerMessage(LogLevel.Warning, "Adapter {Name} from {Path} not loaded: {Reason}")]
    private static partial void Refused(ILogger log, string name, string path, string reason);
}
