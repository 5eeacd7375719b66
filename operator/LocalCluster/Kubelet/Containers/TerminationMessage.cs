using System.Text;
using Graft.LocalCluster.Kubelet.Logs;

namespace Graft.LocalCluster.Kubelet.Containers;

/// <summary>The last words of a container: its termination file, or the end of its log when it failed without any.</summary>
internal static class TerminationMessage
{
    private const int MaxBytes = 4096;
    private const int MaxLogBytes = 2048;
    private const int MaxLogLines = 80;

    public static string? Read(string file, string log, string? policy, int exitCode)
    {
        var message = Tail(file, MaxBytes, fromEnd: false);
        if (message.Length > 0 || policy != "FallbackToLogsOnError" || exitCode == 0) return message.Length > 0 ? message : null;
        var lines = Tail(log, 4 * MaxLogBytes, fromEnd: true).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => LogLine.Parse(l)).OfType<LogLine>().Select(l => l.Text + (l.Partial ? "" : "\n")).TakeLast(MaxLogLines);
        var text = Encoding.UTF8.GetBytes(string.Concat(lines));
        return Encoding.UTF8.GetString(text.AsSpan(Math.Max(0, text.Length - MaxLogBytes)));
    }

    /// <summary>At most so many bytes of a file; empty when it cannot be read.</summary>
    private static string Tail(string path, int bytes, bool fromEnd)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (fromEnd && stream.Length > bytes) stream.Seek(-bytes, SeekOrigin.End);
            var buffer = new byte[bytes];
            return Encoding.UTF8.GetString(buffer, 0, stream.ReadAtLeast(buffer, bytes, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
