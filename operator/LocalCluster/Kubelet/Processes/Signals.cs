using System.Runtime.InteropServices;

namespace Graft.LocalCluster.Kubelet.Processes;

/// <summary>POSIX signals to process groups.</summary>
internal static class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;

    /// <summary>Sends to every process of the group. The leader gets it also when it has not made its group yet.</summary>
    public static void SendToGroup(int group, int signal)
    {
        if (SendSignal(-group, signal) != 0) _ = SendSignal(group, signal);
    }

    /// <summary>Sends to one process.</summary>
    public static void Send(int process, int signal) => _ = SendSignal(process, signal);

    /// <summary>Whether any process of the group is left.</summary>
    public static bool GroupExists(int group) => SendSignal(-group, 0) == 0;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SendSignal(int pid, int signal);
}
