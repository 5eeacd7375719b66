using Amazon.Runtime;
using Graft.Sources.Network;

namespace Graft.Sources.S3;

/// <summary>
/// What a Secret says about a bucket: keys, and where the store is, under the names that Amazon's own tools use. Nothing else is
/// looked at, neither variables nor a machine's metadata, so that a pod has no rights that nobody gave it.
/// </summary>
internal sealed record S3Credentials(AWSCredentials Keys, Uri? Endpoint, string? Region)
{
    /// <param name="folder">Null: the bucket is public.</param>
    /// <exception cref="SourceException"><see cref="SourceFault.Invalid"/>.</exception>
    public static S3Credentials Read(string? folder)
    {
        if (folder is null) return new(new AnonymousAWSCredentials(), null, null);
        var id = CredentialFiles.Read(folder, "AWS_ACCESS_KEY_ID", "accessKeyId");
        var secret = CredentialFiles.Read(folder, "AWS_SECRET_ACCESS_KEY", "secretAccessKey");
        var session = CredentialFiles.Read(folder, "AWS_SESSION_TOKEN", "sessionToken");
        if (id is null) throw CredentialFiles.Lacking(folder, "AWS_ACCESS_KEY_ID");
        if (secret is null) throw CredentialFiles.Lacking(folder, "AWS_SECRET_ACCESS_KEY");
        Uri? endpoint = null;
        if (CredentialFiles.Read(folder, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "endpoint") is { } text
            && !EndpointUri.TryParse(text, out endpoint))
            throw new SourceException(SourceFault.Invalid, "the credentials' AWS_ENDPOINT_URL is no address; write https://HOST");
        AWSCredentials keys = session is null ? new BasicAWSCredentials(id, secret) : new SessionAWSCredentials(id, secret, session);
        return new(keys, endpoint, CredentialFiles.Read(folder, "AWS_REGION", "AWS_DEFAULT_REGION", "region"));
    }
}
