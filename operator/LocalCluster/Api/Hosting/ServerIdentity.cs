using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Graft.LocalCluster.Api.Access;

namespace Graft.LocalCluster.Api.Hosting;

/// <summary>
/// What clients know a server by: its certificate and the administrator's token, both in the kubeconfig, and the key that signs the
/// tokens of service accounts.
/// </summary>
internal sealed record ServerIdentity(X509Certificate2 Certificate, string Token, ECDsa TokenKey) : IDisposable
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromDays(30);

    public static ServerIdentity New(IPAddress address) => new(ServerCertificate.Create(address), Authenticator.NewToken(), ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>The identity of a folder, so that a kubeconfig is good for the next start too; made if there is none or it is running out.</summary>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public static ServerIdentity Of(string folder, IPAddress address)
    {
        var (certificatePath, tokenPath, keyPath) = (Path.Combine(folder, "server.pem"), Path.Combine(folder, "token"), Path.Combine(folder, "tokens.pem"));
        if (File.Exists(certificatePath) && File.Exists(tokenPath) && File.Exists(keyPath))
        {
            var known = X509Certificate2.CreateFromPemFile(certificatePath);
            if (known.MatchesHostname(address.ToString()) && known.NotAfter.ToUniversalTime() - TimeProvider.System.GetUtcNow() > LongEnough)
            {
                var tokenKey = ECDsa.Create();
                tokenKey.ImportFromPem(File.ReadAllText(keyPath));
                return new ServerIdentity(known, File.ReadAllText(tokenPath).Trim(), tokenKey);
            }
            known.Dispose();
        }
        var made = New(address);
        using var key = made.Certificate.GetECDsaPrivateKey()!;
        OwnersFile.Write(certificatePath, made.Certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        OwnersFile.Write(tokenPath, made.Token + "\n");
        OwnersFile.Write(keyPath, made.TokenKey.ExportPkcs8PrivateKeyPem() + "\n");
        return made;
    }

    public void Dispose()
    {
        Certificate.Dispose();
        TokenKey.Dispose();
    }
}
