using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;
using k8s.Models;

namespace Graft.LocalCluster.Kinds;

/// <summary>Checks of what a container asks for: probes, hooks, mounts, resources (pkg/apis/core/validation/validation.go).</summary>
internal static class ContainerRules
{
    private static readonly string[] Handlers = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    private static readonly string[] Overcommitted = ["cpu", "memory", "ephemeral-storage"];

    /// <param name="probed">Whether it may have probes and hooks: init containers that are no sidecars may not.</param>
    public static void Validate(JsonObject container, string path, bool probed, List<FieldError> errors)
    {
        foreach (var probe in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (container[probe] is not JsonObject asked) continue;
            if (!probed) errors.Add(FieldError.Forbidden($"{path}.{probe}", "may not be set for init containers without restartPolicy=Always"));
            else Probe(asked, $"{path}.{probe}", probe != "readinessProbe", errors);
        }
        if (container["lifecycle"] is JsonObject lifecycle)
        {
            if (!probed) errors.Add(FieldError.Forbidden($"{path}.lifecycle", "may not be set for init containers without restartPolicy=Always"));
            foreach (var hook in (string[])["postStart", "preStop"])
            {
                if (probed && lifecycle[hook] is JsonObject handler) Handler(handler, $"{path}.lifecycle.{hook}", errors);
            }
        }
        Mounts(container, path, errors);
        Resources(container["resources"] as JsonObject, $"{path}.resources", errors);
    }

    private static void Probe(JsonObject probe, string path, bool once, List<FieldError> errors)
    {
        Handler(probe, path, errors);
        foreach (var field in (string[])["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"])
        {
            if (probe[field].AsLong() is < 0)
                errors.Add(FieldError.Invalid($"{path}.{field}", probe[field]!.DeepClone(), "must be greater than or equal to 0"));
        }
        if (probe["terminationGracePeriodSeconds"].AsLong() is <= 0)
        {
            errors.Add(FieldError.Invalid($"{path}.terminationGracePeriodSeconds", probe["terminationGracePeriodSeconds"]!.DeepClone(),
                "must be greater than 0"));
        }
        if (once && probe["successThreshold"].AsLong() is not (null or 1))
            errors.Add(FieldError.Invalid($"{path}.successThreshold", probe["successThreshold"]!.DeepClone(), "must be 1"));
    }

    /// <summary>A handler does exactly one thing.</summary>
    private static void Handler(JsonObject handler, string path, List<FieldError> errors)
    {
        var given = Handlers.Where(kind => handler[kind] is JsonObject).ToList();
        if (given.Count == 0) errors.Add(FieldError.Required(path, "must specify a handler type"));
        foreach (var kind in given.Skip(1)) errors.Add(FieldError.Forbidden($"{path}.{kind}", "may not specify more than 1 handler type"));
        if (given.FirstOrDefault() == "exec" && handler.At("exec", "command") is not JsonArray { Count: > 0 })
            errors.Add(FieldError.Required($"{path}.exec.command"));
    }

    private static void Mounts(JsonObject container, string path, List<FieldError> errors)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (mount, i) in container["volumeMounts"].Objects().Select((mount, i) => (mount, i)))
        {
            var at = $"{path}.volumeMounts[{i}]";
            if (mount["mountPath"].AsString() is not { Length: > 0 } where) errors.Add(FieldError.Required($"{at}.mountPath"));
            else if (!taken.Add(where)) errors.Add(FieldError.Invalid($"{at}.mountPath", where, "must be unique"));
            foreach (var field in (string[])["subPath", "subPathExpr"])
            {
                if (mount[field].AsString() is not { Length: > 0 } sub) continue;
                if (sub.StartsWith('/')) errors.Add(FieldError.Invalid($"{at}.{field}", sub, "must be a relative path"));
                if (sub.Split('/').Contains("..")) errors.Add(FieldError.Invalid($"{at}.{field}", sub, "must not contain '..'"));
            }
            if (mount["subPath"].AsString() is { Length: > 0 } && mount["subPathExpr"].AsString() is { Length: > 0 } both)
                errors.Add(FieldError.Invalid($"{at}.subPathExpr", both, "subPathExpr and subPath are mutually exclusive"));
        }
    }

    private static void Resources(JsonObject? resources, string path, List<FieldError> errors)
    {
        var (requests, limits) = (Amounts(resources, "requests"), Amounts(resources, "limits"));
        foreach (var (resource, wanted) in requests)
        {
            var at = $"{path}.requests";
            var text = (JsonNode)wanted.ToString();
            if (limits.TryGetValue(resource, out var limit))
            {
                if (!Overcommitted.Contains(resource) && wanted.ToDecimal() != limit.ToDecimal())
                    errors.Add(FieldError.Invalid(at, text, $"must be equal to {resource} limit of {limit}"));
                else if (wanted.ToDecimal() > limit.ToDecimal())
                    errors.Add(FieldError.Invalid(at, text, $"must be less than or equal to {resource} limit of {limit}"));
            }
            else if (resource.Contains('/', StringComparison.Ordinal))
            {
                errors.Add(FieldError.Required($"{path}.limits", "Limit must be set for non overcommitable resources"));
            }
        }
    }

    private static Dictionary<string, ResourceQuantity> Amounts(JsonObject? resources, string list)
    {
        var all = new Dictionary<string, ResourceQuantity>(StringComparer.Ordinal);
        foreach (var (name, amount) in resources?[list] as JsonObject ?? [])
        {
            // What is no quantity was refused before.
            if (amount.AsText() is { } text && TryParse(text) is { } quantity) all[name] = quantity;
        }
        return all;
    }

    private static ResourceQuantity? TryParse(string text)
    {
        try
        {
            var quantity = new ResourceQuantity(text);
            _ = quantity.ToDecimal();
            return quantity;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            return null;
        }
    }
}
