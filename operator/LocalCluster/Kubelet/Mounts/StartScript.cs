using System.Text;

namespace Graft.LocalCluster.Kubelet.Mounts;

/// <summary>
/// The shell script that turns into a container's process: it builds the root folder in the private mount namespace it was
/// started in, enters it and replaces itself by the program, so that there is no process in between to lose a signal.
/// Everything that came from outside stands in single quotes.
/// </summary>
internal static class StartScript
{
    /// <param name="root">An empty folder of this machine for the root; null without a mount namespace.</param>
    /// <param name="parent">Our process id: a child whose parent died before it asked for the parent-death signal must end by itself.</param>
    public static string Make(IReadOnlyList<RootStep> steps, string? root, string workingFolder, IReadOnlyList<string> command, int parent)
    {
        var text = new StringBuilder();
        text.Append("set -eu\n");
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"[ \"$PPID\" = {parent} ] || exit 137\n");
        text.Append("exec </dev/null\n");
        var line = string.Join(' ', command.Select(Quote));
        if (root is null)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"cd {Quote(workingFolder)}\nexec {line}\n");
            return text.ToString();
        }

        // The pod's own PATH is for the program, not for the tools of this script.
        text.Append("path=${PATH-}\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"root={Quote(root)}\n");
        text.Append("mount -t tmpfs -o mode=0755 graft-root \"$root\"\n");
        foreach (var step in steps) Append(text, step);
        // Volumes become read-only last: mount points of inner ones may have to be made in them.
        foreach (var volume in steps.OfType<RootStep.Volume>().Where(v => v.ReadOnly))
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"mount -o remount,bind,ro \"$root\"{Quote(volume.Path)}\n");
        text.Append("export PATH=\"$path\"\n");
        text.Append(System.Globalization.CultureInfo.InvariantCulture,
            $"exec /usr/sbin/chroot \"$root\" /bin/sh -c 'cd \"$1\" || exit 126; shift; exec \"$@\"' sh {Quote(workingFolder)} {line}\n");
        return text.ToString();
    }

    private static void Append(StringBuilder text, RootStep step)
    {
        var path = "\"$root\"" + Quote(step.Path);
        text.Append(step switch
        {
            RootStep.Folder => $"mkdir -p {path}\n",
            // Made only when missing: below another volume it may be there, and be read-only.
            RootStep.File => $"[ -e {path} ] || : > {path}\n",
            RootStep.Link link => $"ln -s {Quote(link.Target)} {path}\n",
            // What this user may not bind stays empty.
            RootStep.Host => $"mount --rbind {Quote(step.Path)} {path} 2>/dev/null || :\n",
            RootStep.Volume volume => $"mount --rbind {Quote(volume.Source)} {path}\n",
            _ => throw new InvalidOperationException($"No shell command for {step}"),
        });
    }

    public static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
