namespace Graft.LocalCluster.Patching;

/// <summary>A patch that cannot be read or applied.</summary>
/// <param name="status">The HTTP status of the refusal: 400 for a patch that is malformed, 422 for one that does not fit the object.</param>
/// <param name="message">What is wrong, in the API server's words.</param>
internal sealed class PatchException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static PatchException BadRequest(string message) => new(400, message);

    public static PatchException Unprocessable(string message) => new(422, message);
}
