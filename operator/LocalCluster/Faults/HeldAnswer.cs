using Microsoft.AspNetCore.Http.Features;

namespace Graft.LocalCluster.Faults;

/// <summary>Keeps back what a request is answered with, until it is known whether and when the client gets it.</summary>
internal sealed class HeldAnswer : IDisposable
{
    private readonly HttpContext _http;
    private readonly IHttpResponseBodyFeature _original;
    private readonly MemoryStream _body = new();
    private readonly StreamResponseBodyFeature _feature;

    public HeldAnswer(HttpContext http)
    {
        _http = http;
        _original = http.Features.Get<IHttpResponseBodyFeature>()!;
        _feature = new StreamResponseBodyFeature(_body);
        http.Features.Set<IHttpResponseBodyFeature>(_feature);
    }

    /// <summary>Lets answers pass again; what was held is still here.</summary>
    public async Task ReleaseAsync()
    {
        await _feature.CompleteAsync();
        _http.Features.Set(_original);
    }

    public Task SendAsync() => _original.Stream.WriteAsync(_body.GetBuffer(), 0, (int)_body.Length, _http.RequestAborted);

    public void Dispose()
    {
        _http.Features.Set(_original);
        _feature.Dispose();
        _body.Dispose();
    }
}
