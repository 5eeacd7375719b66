using System.Net;
using System.Net.Sockets;
using Graft.LocalCluster.Controllers;
using Graft.Runtime;
using k8s.Models;

namespace Graft.LocalCluster.Network;

/// <summary>Follows Services and their EndpointSlices with listeners on the Services' addresses.</summary>
internal sealed class ServiceProxy(ControlPlane plane, EventRecorder events) : IEntityController<V1Service>, IAsyncDisposable
{
    private const string ServiceLabel = "kubernetes.io/service-name";
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    private readonly Informer<V1EndpointSlice> _slices = plane.Informers.Get<V1EndpointSlice>();
    // Used by the one worker of the controller, and at the end.
    private readonly Dictionary<ObjectKey, Dictionary<IPEndPoint, ServiceListener>> _listeners = [];

    public Controller<V1Service> CreateController() =>
        new Controller<V1Service>(
                plane.Informers, this, new ControllerOptions<V1Service> { Name = "service-proxy", Predicate = (_, _) => true }, plane.Time, plane.Loggers)
            .Watches<V1EndpointSlice>(slice => slice.Metadata.Labels?.TryGetValue(ServiceLabel, out var name) == true
                ? [new ObjectKey(slice.Metadata.NamespaceProperty, name)]
                : []);

    public async Task<ReconciliationResult<V1Service>> ReconcileAsync(V1Service entity, CancellationToken cancellationToken)
    {
        var slices = _slices.List(entity.Metadata.NamespaceProperty)
            .Where(s => s.Metadata.Labels?.TryGetValue(ServiceLabel, out var name) == true && name == entity.Metadata.Name);
        var ports = ServicePlan.Ports(entity, slices).DistinctBy(p => p.Address).ToDictionary(p => p.Address);
        var key = ObjectKey.Of(entity);
        if (!_listeners.TryGetValue(key, out var open)) _listeners[key] = open = [];
        foreach (var gone in open.Keys.Except(ports.Keys).ToList())
        {
            if (open.Remove(gone, out var listener)) await listener.DisposeAsync().ConfigureAwait(false);
        }
        var refused = false;
        foreach (var port in ports.Values)
        {
            if (open.TryGetValue(port.Address, out var listener)) listener.Update(port.Backends);
            else refused |= !TryListen(entity, port, open);
        }
        return ReconciliationResult<V1Service>.Success(entity, refused ? Retry : null);
    }

    private bool TryListen(V1Service service, ServicePort port, Dictionary<IPEndPoint, ServiceListener> open)
    {
        try
        {
            open[port.Address] = new ServiceListener(port);
            return true;
        }
        catch (SocketException e)
        {
            events.Publish(service, "PortInUse", $"Nothing can listen on {port.Address}: {e.Message}; trying again", EventType.Warning);
            return false;
        }
    }

    public async Task<ReconciliationResult<V1Service>> DeletedAsync(V1Service entity, CancellationToken cancellationToken)
    {
        if (_listeners.Remove(ObjectKey.Of(entity), out var open)) await CloseAsync(open).ConfigureAwait(false);
        return ReconciliationResult<V1Service>.Success(entity);
    }

    private static async Task CloseAsync(Dictionary<IPEndPoint, ServiceListener> open)
    {
        foreach (var listener in open.Values) await listener.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var open in _listeners.Values) await CloseAsync(open).ConfigureAwait(false);
        _listeners.Clear();
    }
}
