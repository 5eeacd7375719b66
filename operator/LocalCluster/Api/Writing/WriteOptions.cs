namespace Graft.LocalCluster.Api.Writing;

internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>How a client wants its write treated.</summary>
/// <param name="Manager">Who owns the fields that are written.</param>
/// <param name="Force">Server-side apply takes fields from others.</param>
internal sealed record WriteOptions(bool DryRun, string Manager, FieldValidation Validation, bool Force)
{
    /// <summary>What the server itself writes.</summary>
    public static WriteOptions Server { get; } = new(false, "graft-local", FieldValidation.Ignore, false);

    /// <summary>Warnings to send with the response.</summary>
    public List<string> Warnings { get; } = [];

    public static WriteOptions Of(HttpRequest request)
    {
        var dryRun = request.Query["dryRun"].ToString();
        if (dryRun is not ("" or "All"))
            throw ApiException.BadRequest($"dryRun: Unsupported value: \"{dryRun}\": supported values: \"All\"");
        var manager = request.Query["fieldManager"].ToString();
        if (manager.Length > 128)
            throw ApiException.BadRequest("fieldManager: Too long: may not be more than 128 bytes");
        return new WriteOptions(
            dryRun == "All",
            manager.Length > 0 ? manager : ManagerOf(request.Headers.UserAgent.ToString()),
            request.Query["fieldValidation"].ToString() switch
            {
                "" or "Warn" => FieldValidation.Warn,
                "Strict" => FieldValidation.Strict,
                "Ignore" => FieldValidation.Ignore,
                var other => throw ApiException.BadRequest(
                    $"fieldValidation: Unsupported value: \"{other}\": supported values: \"Ignore\", \"Strict\", \"Warn\""),
            },
            request.Query["force"].ToString() is "true" or "1");
    }

    private static string ManagerOf(string userAgent)
    {
        var name = userAgent.Split('/')[0];
        return name.Length == 0 ? "unknown" : name[..Math.Min(name.Length, 128)];
    }
}
