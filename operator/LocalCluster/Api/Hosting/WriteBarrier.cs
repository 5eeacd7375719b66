using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Hosting;

/// <summary>Goes with a request that may have written: it is answered only when everything written is kept.</summary>
internal sealed record WriteBarrier(ObjectStore Store)
{
    /// <exception cref="IOException">Something could not be kept.</exception>
    public static Task PassAsync(HttpContext http) => http.Features.Get<WriteBarrier>()?.Store.FlushedAsync() ?? Task.CompletedTask;
}
