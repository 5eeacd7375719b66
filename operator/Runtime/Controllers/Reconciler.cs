using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Graft.Runtime;

/// <summary>Works on one key: calls the controller or the finalizers and turns the outcome into queue operations and metrics.</summary>
internal sealed class Reconciler<T>(
    Informer<T> informer, InformerSet informers, IEntityController<T> controller, ControllerOptions<T> options, WorkQueue<ObjectKey> queue,
    ControllerObserver? observer, TimeProvider time, ILogger logger, IReadOnlyDictionary<string, IEntityFinalizer<T>>? finalizers)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly IReadOnlyDictionary<string, IEntityFinalizer<T>> _finalizers = finalizers ?? new Dictionary<string, IEntityFinalizer<T>>();

    // Objects that are gone and whose controller has not heard of it yet.
    private readonly ConcurrentDictionary<ObjectKey, T> _deleted = new();

    public void Remember(T deleted) => _deleted[ObjectKey.Of(deleted)] = deleted;

    public async Task WorkAsync(ObjectKey key, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        using var limit = new CancellationTokenSource(options.ReconcileTimeout ?? Timeout.InfiniteTimeSpan, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        observer?.Started();
        try
        {
            Finish(key, await ReconcileAsync(key, both.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (TerminalException e)
        {
            logger.LogError("{Key} cannot be reconciled until it changes: {Error}", key, e.Message);
            queue.Forget(key);
            observer?.TerminalError();
        }
        catch (ApiException e) when (e.IsConflict)
        {
            // Someone else wrote first; the next try sees their write. Nothing to tell anyone.
            logger.LogDebug("{Key} changed meanwhile: {Error}", key, e.Message);
            Retry(key);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            logger.LogError("Reconciling {Key} took longer than {Limit}", key, options.ReconcileTimeout);
            observer?.TimedOut();
            Retry(key);
        }
        catch (ApiException e)
        {
            logger.LogError("Reconciling {Key} failed, try {Tries}: {Error}", key, queue.Failures(key) + 1, e.Message);
            Retry(key);
        }
        catch (Exception e)
        {
            logger.LogError(e, "Reconciling {Key} failed, try {Tries}", key, queue.Failures(key) + 1);
            Retry(key);
        }
        finally
        {
            observer?.Ended(time.GetElapsedTime(started));
        }
    }

    private async Task<ReconciliationResult<T>?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_deleted.TryGetValue(key, out var gone))
        {
            var told = await controller.DeletedAsync(ObjectJson.Clone(gone), ct).ConfigureAwait(false);
            if (!told.IsSuccess)
                return told;
            // Only this incarnation is done with; another may have vanished meanwhile.
            _deleted.TryRemove(new KeyValuePair<ObjectKey, T>(key, gone));
        }

        if (informer.Find(key) is not { } cached || (gone is not null && cached.Metadata.Uid == gone.Metadata.Uid))
            return null;
        var entity = ObjectJson.Clone(cached);
        if (entity.Metadata.DeletionTimestamp is not null)
            return await FinalizeAsync(entity, ct).ConfigureAwait(false);
        if (_finalizers.Keys.Where(f => !entity.Metadata.Finalizers.OrEmpty().Contains(f)).ToArray() is { Length: > 0 } missing)
        {
            // Before any effect outside the API, and the end of this pass: the write's own event starts the next one.
            await WriteFinalizersAsync(entity, [.. entity.Metadata.Finalizers.OrEmpty(), .. missing], ct).ConfigureAwait(false);
            return ReconciliationResult<T>.Success(entity);
        }

        return await controller.ReconcileAsync(entity, ct).ConfigureAwait(false);
    }

    private async Task<ReconciliationResult<T>> FinalizeAsync(T entity, CancellationToken ct)
    {
        // Wherever ours stand in the list: a foreign finalizer in front must not block them.
        foreach (var name in entity.Metadata.Finalizers.OrEmpty().Where(_finalizers.ContainsKey).ToArray())
        {
            var result = await _finalizers[name].FinalizeAsync(entity, ct).ConfigureAwait(false);
            if (!result.IsSuccess)
                return result;
            await WriteFinalizersAsync(entity, [.. entity.Metadata.Finalizers.OrEmpty().Where(f => f != name)], ct).ConfigureAwait(false);
        }

        return options.ReconcileTerminating
            ? await controller.ReconcileAsync(entity, ct).ConfigureAwait(false)
            : ReconciliationResult<T>.Success(entity);
    }

    /// <summary>Writes the whole list against the version it was read at, because a merge patch cannot name one item.</summary>
    private async Task WriteFinalizersAsync(T entity, string[] names, CancellationToken ct)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["resourceVersion"] = entity.Metadata.ResourceVersion,
                ["finalizers"] = new JsonArray([.. names.Select(n => (JsonNode)n)]),
            },
        };
        try
        {
            var written = await informers.Client.Resource<T>()
                .PatchAsync(entity.Metadata.Name, entity.Metadata.NamespaceProperty, Patch.Merge(patch), ct: ct).ConfigureAwait(false);
            entity.Metadata.ResourceVersion = written.Metadata.ResourceVersion;
            entity.Metadata.Finalizers = written.Metadata.Finalizers;
            // The answer to the write that removed the last finalizer is the object's last state, which no one should see as living.
            if (written.Metadata.DeletionTimestamp is null || names.Length > 0)
                informers.RecordWrite(written);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            entity.Metadata.Finalizers = names;
        }
    }

    private void Finish(ObjectKey key, ReconciliationResult<T>? result)
    {
        if (result is { IsSuccess: false })
        {
            logger.LogError(result.Error, "Reconciling {Key} failed: {Error}", key, result.ErrorMessage);
            if (result.RequeueAfter is { } later)
            {
                observer?.Failed();
                queue.AddAfter(key, later);
            }
            else
            {
                Retry(key);
            }

            return;
        }

        queue.Forget(key);
        observer?.Succeeded(requeueAfter: result?.RequeueAfter is not null);
        if (result?.RequeueAfter is { } after)
            queue.AddAfter(key, after);
    }

    private void Retry(ObjectKey key)
    {
        observer?.Failed();
        queue.AddRateLimited(key);
    }
}

internal static class ListExtensions
{
    public static IList<TItem> OrEmpty<TItem>(this IList<TItem>? list) => list ?? [];
}
