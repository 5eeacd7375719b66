using Graft.LocalCluster.Api.Access;
using Graft.LocalCluster.Schema;

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
    private const int MaxManagerLength = 128;

    private static readonly Dictionary<string, FieldValidation> Validations = new(StringComparer.Ordinal)
    {
        [""] = FieldValidation.Warn,
        ["Ignore"] = FieldValidation.Ignore,
        ["Warn"] = FieldValidation.Warn,
        ["Strict"] = FieldValidation.Strict,
    };

    /// <summary>What the server itself writes.</summary>
    public static WriteOptions Server { get; } = new(false, "graft-local", FieldValidation.Ignore, false);

    /// <summary>Who writes; null for the server itself.</summary>
    public Requester? Requester { get; init; }

    /// <summary>Warnings to send with the response.</summary>
    public List<string> Warnings { get; } = [];

    public static WriteOptions Of(HttpRequest request)
    {
        var (dryRun, manager) = (request.Query["dryRun"].ToString(), request.Query["fieldManager"].ToString());
        var validation = request.Query["fieldValidation"].ToString();
        var errors = new List<FieldError>();
        if (HttpMethods.IsPatch(request.Method))
            CheckPatch(request, manager, errors);
        if (manager.Length > MaxManagerLength)
            errors.Add(FieldError.TooLong("fieldManager", MaxManagerLength));
        if (dryRun is not ("" or "All"))
            errors.Add(FieldError.NotSupported("dryRun", dryRun, ["All"]));
        if (!Validations.TryGetValue(validation, out var strictness))
            errors.Add(FieldError.NotSupported("fieldValidation", validation, Validations.Keys.Order(StringComparer.Ordinal)));
        if (errors.Count > 0)
            throw ApiException.InvalidOptions(KindOf(request.Method), errors);
        return new WriteOptions(
            dryRun == "All",
            manager.Length > 0 ? manager : ManagerOf(request.Headers.UserAgent.ToString()),
            strictness,
            request.Query["force"].ToString() is "true" or "1")
        {
            Requester = request.HttpContext.Features.Get<Requester>(),
        };
    }

    private static void CheckPatch(HttpRequest request, string manager, List<FieldError> errors)
    {
        var applies = request.ContentType?.StartsWith("application/apply-patch+yaml", StringComparison.Ordinal) == true;
        if (applies && manager.Length == 0)
            errors.Add(FieldError.Required("fieldManager", "is required for apply patch"));
        if (!applies && request.Query["force"].Count > 0)
            errors.Add(FieldError.Forbidden("force", "may not be specified for non-apply patch"));
    }

    private static string KindOf(string method) =>
        HttpMethods.IsPost(method) ? "CreateOptions" : HttpMethods.IsPut(method) ? "UpdateOptions" : "PatchOptions";

    private static string ManagerOf(string userAgent)
    {
        var name = userAgent.Split('/')[0];
        return name.Length == 0 ? "unknown" : name[..Math.Min(name.Length, 128)];
    }
}
