using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Controllers.Services;

/// <summary>Keeps one EndpointSlice for each Service that selects pods.</summary>
internal sealed class EndpointController(ControlPlane plane) : IEntityController<V1Service>
{
    private readonly Informer<V1Pod> _pods = plane.Informers.Get<V1Pod>();
    private readonly Informer<V1EndpointSlice> _slices = plane.Informers.Get<V1EndpointSlice>();

    public static Controller<V1Service> Create(ControlPlane plane)
    {
        var services = plane.Informers.Get<V1Service>();
        return new Controller<V1Service>(
                plane.Informers, new EndpointController(plane),
                new ControllerOptions<V1Service> { Name = "endpointslice", Predicate = (_, _) => true }, plane.Time, plane.Loggers)
            .Owns<V1EndpointSlice>()
            .Watches<V1Pod>(pod => services.List(pod.Metadata.NamespaceProperty).Where(s => EndpointDecision.Selects(s, pod)).Select(s => ObjectKey.Of(s)));
    }

    public async Task<ReconciliationResult<V1Service>> ReconcileAsync(V1Service entity, CancellationToken cancellationToken)
    {
        if (EndpointDecision.Slice(entity, _pods.List(entity.Metadata.NamespaceProperty)) is { } slice)
        {
            var known = _slices.Find(slice.Metadata.Name, slice.Metadata.NamespaceProperty);
            if (known is null || !ControlPlane.Same(known.Endpoints, slice.Endpoints) || !ControlPlane.Same(known.Ports, slice.Ports))
                await WriteAsync(slice, known, cancellationToken).ConfigureAwait(false);
        }
        return ReconciliationResult<V1Service>.Success(entity);
    }

    public Task<ReconciliationResult<V1Service>> DeletedAsync(V1Service entity, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<V1Service>.Success(entity));

    private async Task WriteAsync(V1EndpointSlice slice, V1EndpointSlice? known, CancellationToken cancel)
    {
        if (known is null)
        {
            await plane.CreateAsync(slice, cancel).ConfigureAwait(false);
            return;
        }
        slice.Metadata.ResourceVersion = known.Metadata.ResourceVersion;
        plane.Informers.RecordWrite(await plane.Client.UpdateAsync(slice, cancel).ConfigureAwait(false));
    }
}
