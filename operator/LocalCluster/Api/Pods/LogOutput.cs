using System.Buffers;
using System.Text;
using Graft.LocalCluster.Kubelet.Logs;

namespace Graft.LocalCluster.Api.Pods;

/// <summary>Sends log records as their text, joined where a record is a part of a line.</summary>
internal sealed class LogOutput(HttpResponse response, LogRequest request)
{
    private long _sent;
    private bool _inLine;

    /// <summary>Sends one record; false when the reader has as much as was asked for.</summary>
    public async Task<bool> SendAsync(string record, CancellationToken cancellation)
    {
        if (LogLine.Parse(record) is not { } line || line.Time < request.Since)
            return true;
        var stamp = request.Timestamps && !_inLine ? line.TimeText + " " : "";
        _inLine = line.Partial;
        var bytes = Encoding.UTF8.GetBytes(stamp + line.Text + (line.Partial ? "" : "\n"));
        var allowed = request.LimitBytes is { } limit ? Math.Min(bytes.Length, limit - _sent) : bytes.Length;
        response.BodyWriter.Write(bytes.AsSpan(0, (int)allowed));
        _sent += allowed;
        if (response.BodyWriter.UnflushedBytes > 64 * 1024)
            await FlushAsync(cancellation);
        return allowed == bytes.Length;
    }

    public async Task FlushAsync(CancellationToken cancellation) => await response.BodyWriter.FlushAsync(cancellation);
}
