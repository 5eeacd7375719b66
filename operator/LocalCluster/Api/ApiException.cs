using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api;

/// <summary>A refusal that ends a request, with everything that its Status says. Texts are those of the real server: tools match on
/// them.</summary>
internal sealed class ApiException(int code, string reason, string message) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;

    public JsonObject? Details { get; init; }

    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (Reason.Length > 0)
            status["reason"] = Reason;
        if (Details is not null)
            status["details"] = Details.DeepClone();
        status["code"] = Code;
        return status;
    }

    public static ApiException NotFound(GroupResource resource, string name) =>
        new(404, "NotFound", $"{resource} \"{name}\" not found") { Details = Subject(resource, name) };

    public static ApiException NoSuchResource() =>
        new(404, "NotFound", "the server could not find the requested resource") { Details = [] };

    public static ApiException AlreadyExists(GroupResource resource, string name, string why = "") =>
        new(409, "AlreadyExists", $"{why}{resource} \"{name}\" already exists") { Details = Subject(resource, name) };

    public static ApiException Conflict(GroupResource resource, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {resource} \"{name}\": {why}") { Details = Subject(resource, name) };

    public static ApiException Modified(GroupResource resource, string name) => Conflict(resource, name,
        "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Forbidden(GroupResource resource, string name, string why) =>
        new(403, "Forbidden", $"{resource}{(name.Length > 0 ? $" \"{name}\"" : "")} is forbidden: {why}")
        {
            Details = Subject(resource, name),
        };

    public static ApiException MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource") { Details = [] };

    /// <param name="retryAfter">In seconds; 0 says nothing.</param>
    public static ApiException TooManyRequests(string message, int retryAfter, string cause, string why)
    {
        var details = new JsonObject { ["causes"] = Causes([(cause, why, "")]) };
        if (retryAfter > 0)
            details["retryAfterSeconds"] = retryAfter;
        return new(429, "TooManyRequests", message) { Details = details };
    }

    public static ApiException Expired(string message) => new(410, "Expired", message);

    public static ApiException UnsupportedMediaType(string message) => new(415, "UnsupportedMediaType", message);

    public static ApiException Internal(string message) =>
        new(500, "InternalError", $"Internal error occurred: {message}") { Details = new() { ["causes"] = Causes([("", "", message)]) } };

    public static ApiException Invalid(ResourceKind kind, string name, IReadOnlyList<FieldError> errors) =>
        Invalid(kind.Group, kind.Kind, name, errors);

    public static ApiException Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        return new(422, "Invalid", $"{kind}{(group.Length > 0 ? $".{group}" : "")} \"{name}\" is invalid: {FieldError.Summary([.. errors])}")
        {
            Details = new()
            {
                ["name"] = name,
                ["group"] = group,
                ["kind"] = kind,
                ["causes"] = Causes(errors.Select(error => (error.Reason, error.Body, error.FieldText))),
            },
        };
    }

    /// <summary>What a request asks for in its query or options cannot be.</summary>
    /// <param name="kind"><c>ListOptions</c> and the like.</param>
    public static ApiException InvalidOptions(string kind, IReadOnlyList<FieldError> errors) =>
        new(422, "Invalid", $"{kind}.meta.k8s.io \"\" is invalid: {FieldError.Summary([.. errors])}")
        {
            Details = new()
            {
                ["group"] = "meta.k8s.io",
                ["kind"] = kind,
                ["causes"] = Causes(errors.Select(error => (error.Reason, error.Body, error.FieldText))),
            },
        };

    public static ApiException TooNew(long asked, long current) =>
        new(504, "Timeout", $"Timeout: Too large resource version: {asked}, current: {current}")
        {
            Details = new()
            {
                ["causes"] = Causes([("ResourceVersionTooLarge", "Too large resource version", "")]),
                ["retryAfterSeconds"] = 1,
            },
        };

    public static JsonArray Causes(IEnumerable<(string Reason, string Message, string Field)> causes)
    {
        var array = new JsonArray();
        foreach (var (reason, message, field) in causes)
        {
            var cause = new JsonObject();
            if (reason.Length > 0)
                cause["reason"] = reason;
            cause["message"] = message;
            if (field.Length > 0)
                cause["field"] = field;
            array.Add(cause);
        }
        return array;
    }

    private static JsonObject Subject(GroupResource resource, string name)
    {
        var subject = new JsonObject { ["name"] = name };
        if (resource.Group.Length > 0)
            subject["group"] = resource.Group;
        subject["kind"] = resource.Resource;
        return subject;
    }
}
