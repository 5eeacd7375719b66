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
        OwnersFile.Write(path, text);
    }

    /// <summary>The port that a kubeconfig of an earlier start names, or 0.</summary>
    public static int PortIn(string path)
    {
        var server = File.Exists(path) ? File.ReadLines(path).FirstOrDefault(line => line.Contains("server: ", StringComparison.Ordinal)) : null;
        return Uri.TryCreate(server?.Split("server: ")[1].Trim(), UriKind.Absolute, out var address) ? address.Port : 0;
    }
}
