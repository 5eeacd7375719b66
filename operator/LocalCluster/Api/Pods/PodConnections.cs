using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Pods;

/// <summary>
/// The subresources of pods that are no documents: log, proxy, binding and eviction. What would need a way into a container is refused by
/// name: <see cref="NotAvailable"/>.
/// </summary>
internal sealed class PodConnections(ObjectStore store, PodLogs logs, PodProxy proxy, PodBinding binding, PodEviction eviction)
{
    private static readonly GroupResource Pods = new("", "pods");

    public Task HandleAsync(HttpContext http, RequestTarget target)
    {
        var (name, scheme, port) = SplitName(target);
        var pod = store.Get(Pods, new ObjectKey(target.Namespace, name)) ?? throw ApiException.NotFound(Pods, name);
        return target.Subresource switch
        {
            "log" when HttpMethods.IsGet(http.Request.Method) => logs.ServeAsync(http, pod),
            "proxy" => proxy.ForwardAsync(http, pod, scheme, port),
            "binding" when HttpMethods.IsPost(http.Request.Method) => binding.BindAsync(http, target),
            "eviction" when HttpMethods.IsPost(http.Request.Method) => eviction.EvictAsync(http, target),
            "log" or "binding" or "eviction" => throw ApiException.MethodNotAllowed(),
            var other => throw NotAvailable.Subresource(other),
        };
    }

    /// <summary>The proxy's names are <c>POD</c>, <c>POD:PORT</c> or <c>SCHEME:POD:PORT</c>.</summary>
    private static (string Name, string Scheme, string Port) SplitName(RequestTarget target)
    {
        if (target.Subresource != "proxy")
            return (target.Name, "", "");
        return target.Name.Split(':') switch
        {
            [var name] => (name, "", ""),
            [var name, var port] => (name, "", port),
            [var scheme, var name, var port] => (name, scheme, port),
            _ => throw ApiException.BadRequest($"invalid pod request \"{target.Name}\""),
        };
    }
}
