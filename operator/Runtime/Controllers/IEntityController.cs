using k8s;
using k8s.Models;

namespace Graft.Runtime;

/// <summary>Brings the world closer to what an object asks for. Called with one object at a time, never twice at once for the same.</summary>
public interface IEntityController<TEntity> where TEntity : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>
    /// Called after any change of the object or of what belongs to it, and again after a failure or RequeueAfter. Must be
    /// repeatable, must not wait for anything but the API. The entity is a copy that the controller may change.
    /// </summary>
    Task<ReconciliationResult<TEntity>> ReconcileAsync(TEntity entity, CancellationToken cancellationToken);

    /// <summary>Called once an object is gone, with its last known state; not called for one that vanished while the process was down.</summary>
    Task<ReconciliationResult<TEntity>> DeletedAsync(TEntity entity, CancellationToken cancellationToken);
}

/// <summary>Cleans up outside the API before an object may vanish.</summary>
public interface IEntityFinalizer<TEntity> where TEntity : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Success removes the finalizer; a failure is repeated. Must treat what is already gone as done.</summary>
    Task<ReconciliationResult<TEntity>> FinalizeAsync(TEntity entity, CancellationToken cancellationToken);
}

/// <summary>What a reconcile came to.</summary>
public sealed record ReconciliationResult<TEntity>
{
    private ReconciliationResult(TEntity entity, bool isSuccess, string? message, Exception? error, TimeSpan? requeueAfter) =>
        (Entity, IsSuccess, ErrorMessage, Error, RequeueAfter) = (entity, isSuccess, message, error, requeueAfter);

    public TEntity Entity { get; }

    public bool IsSuccess { get; }

    public string? ErrorMessage { get; }

    public Exception? Error { get; }

    public TimeSpan? RequeueAfter { get; }

#pragma warning disable CA1000 // The result is named by its entity's type, as KubeOps does.
    /// <param name="requeueAfter">Looks again after this time even if nothing changes.</param>
    public static ReconciliationResult<TEntity> Success(TEntity entity, TimeSpan? requeueAfter = null) =>
        new(entity, true, null, null, requeueAfter);

    /// <summary>Tried again after requeueAfter; without it with exponential back-off, for ever.</summary>
    public static ReconciliationResult<TEntity> Failure(
        TEntity entity, string errorMessage, Exception? error = null, TimeSpan? requeueAfter = null) =>
        new(entity, false, errorMessage, error, requeueAfter);
#pragma warning restore CA1000
}

/// <summary>A failure that no repetition can cure: it is counted and the object waits for its next change.</summary>
public sealed class TerminalException(string message, Exception? inner = null) : Exception(message, inner);
