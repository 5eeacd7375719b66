using Amazon.S3;
using Graft.Sources.Network;

namespace Graft.Sources.S3;

/// <summary>
/// A store's refusals in words that say what to do. Its own message is left out, and with it the exception that carries it: it may
/// repeat what was sent to it.
/// </summary>
internal static class S3Errors
{
    public static SourceException Of(AmazonS3Exception e, string what) => e.ErrorCode switch
    {
        "NoSuchBucket" => new(SourceFault.NotFound, $"there is no bucket '{what}'"),
        "NoSuchKey" => new(SourceFault.NotFound, $"'{what}' is not there any more"),
        "AccessDenied" or "AllAccessDisabled" => new(SourceFault.Unauthorized,
            $"'{what}': not allowed; the credentials must give s3:GetObject and s3:ListBucket (credentialsRef)"),
        "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "InvalidToken" or "ExpiredToken" or "TokenRefreshRequired" =>
            new(SourceFault.Unauthorized, $"'{what}': the store does not take these credentials ({e.ErrorCode})"),
        "PreconditionFailed" => new(SourceFault.Corrupt, $"'{what}' changed while it was read; fetch it again"),
        "SlowDown" or "RequestTimeout" or "InternalError" or "ServiceUnavailable" =>
            new(SourceFault.Unreachable, $"'{what}': the store answered {e.ErrorCode}"),
        _ => new(Faults.Of(e.StatusCode) is var fault && (int)e.StatusCode > 0 ? fault : SourceFault.Unreachable,
            $"'{what}': the store answered {(int)e.StatusCode} {Cache.Names.Printable(e.ErrorCode ?? "")}".TrimEnd()),
    };
}
