using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Graft.Sources.Oci;

/// <summary>Who asks a registry: nobody, or a name with a password.</summary>
internal sealed record OciLogin(AuthenticationHeaderValue? Basic)
{
    /// <summary>From the keys of a <c>kubernetes.io/dockerconfigjson</c> or <c>kubernetes.io/basic-auth</c> Secret.</summary>
    /// <exception cref="SourceException"><see cref="SourceFault.Invalid"/>.</exception>
    public static OciLogin Read(string? folder, string registry)
    {
        if (folder is null) return new((AuthenticationHeaderValue?)null);
        if (CredentialFiles.Read(folder, ".dockerconfigjson", "config.json") is { } json) return OfDockerConfig(json, registry, folder);
        var name = CredentialFiles.Read(folder, "username") ?? throw CredentialFiles.Lacking(folder, "'.dockerconfigjson' or 'username'");
        var password = CredentialFiles.Read(folder, "password") ?? throw CredentialFiles.Lacking(folder, "'password'");
        return Of(name + ":" + password);
    }

    private static OciLogin OfDockerConfig(string json, string registry, string folder)
    {
        DockerConfig? config;
        try
        {
            config = JsonSerializer.Deserialize(json, OciJson.Default.DockerConfig);
        }
        catch (JsonException)
        {
            // Its message would repeat a piece of the file.
            throw new SourceException(SourceFault.Invalid, $"{folder}/.dockerconfigjson is no JSON that can be read");
        }
        // Keys are hosts, and sometimes whole addresses.
        var login = config?.Auths?.FirstOrDefault(
            a => HostOf(a.Key) == registry || (registry == "docker.io" && HostOf(a.Key) == "index.docker.io")).Value
            ?? throw new SourceException(SourceFault.Invalid, $"{folder}/.dockerconfigjson has no login for {registry}");
        if (login.Username is { } name) return Of(name + ":" + login.Password);
        try
        {
            return Of(Encoding.UTF8.GetString(Convert.FromBase64String(login.Auth ?? "")));
        }
        catch (FormatException)
        {
            throw new SourceException(SourceFault.Invalid, $"{folder}/.dockerconfigjson: the login for {registry} is no base64");
        }
    }

    private static string HostOf(string key)
    {
        var at = key.IndexOf("://", StringComparison.Ordinal);
        return (at < 0 ? key : key[(at + 3)..]).Split('/')[0];
    }

    private static OciLogin Of(string pair) =>
        new(new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair))));
}
