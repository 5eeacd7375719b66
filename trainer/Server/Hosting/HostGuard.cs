using System.Net;
using Graft.Contract;
using Graft.Server.Protocol;

namespace Graft.Server.Hosting;

/// <summary>Turns away whom <see cref="LocalHosts"/> does not let ask.</summary>
internal static class HostGuard
{
    public static IApplicationBuilder UseHostGuard(this IApplicationBuilder app, IPAddress address) =>
        app.Use((context, next) => LocalHosts.MayAsk(address, context.Request.Host.Host)
            ? next(context)
            : throw ApiException.BadRequest(LocalHosts.Refusal));
}
