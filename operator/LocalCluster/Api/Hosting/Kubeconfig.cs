namespace Graft.LocalCluster.Api.Hosting;

/// <summary>The file by which kubectl and the operator reach the server. It holds the token, so only its owner may read it.</summary>
internal static class Kubeconfig
{
    public static void Write(string path, Uri server, string certificate, string token)
    {
        var text = $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: graft-local
              cluster:
                server: {server.ToString().TrimEnd('/')}
                certificate-authority-data: {certificate}
            users:
            - name: graft-local
              user:
                token: {token}
            contexts:
            - name: graft-local
              context:
                cluster: graft-local
                user: graft-local
                namespace: default
            current-context: graft-local

            """;
        // Made anew and with its mode from the start: at no moment can others open it, whatever lay there before.
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(path, options);
        using var writer = new StreamWriter(file);
        writer.Write(text);
    }
}
