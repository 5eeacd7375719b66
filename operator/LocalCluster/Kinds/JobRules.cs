using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>Checks of what the fields of a Job's spec say together (pkg/apis/batch/validation).</summary>
internal static class JobRules
{
    public static void Validate(JsonObject job, List<FieldError> errors)
    {
        if (job["spec"] is not JsonObject spec)
            return;
        var mode = spec["completionMode"].AsString();
        if (mode is not (null or "NonIndexed" or "Indexed"))
            errors.Add(FieldError.NotSupported("spec.completionMode", mode, ["Indexed", "NonIndexed"]));
        if (mode == "Indexed" && spec["completions"] is null)
            errors.Add(FieldError.Required("spec.completions", "when completion mode is Indexed"));
        foreach (var field in (string[])["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"])
        {
            if (mode != "Indexed" && spec[field] is { } value)
                errors.Add(FieldError.Invalid($"spec.{field}", value.DeepClone(), "requires indexed completion mode"));
        }
        if (spec["maxFailedIndexes"] is not null && spec["backoffLimitPerIndex"] is null)
            errors.Add(FieldError.Required("spec.backoffLimitPerIndex", "when maxFailedIndexes is specified"));
        if (spec["podFailurePolicy"] is not null && spec["podReplacementPolicy"] is { } replacement && replacement.AsString() != "Failed")
            errors.Add(FieldError.NotSupported("spec.podReplacementPolicy", replacement.DeepClone(), ["Failed"]));
        ValidateSelector(job, spec, errors);
    }

    private static void ValidateSelector(JsonObject job, JsonObject spec, List<FieldError> errors)
    {
        var labels = spec.At("template", "metadata", "labels");
        var wanted = spec.At("selector", "matchLabels").StringMap();
        if (!spec["manualSelector"].AsBool() && job.Uid().Length > 0 && wanted.Any(w => w.Key is not (WorkloadRules.JobUidLabel
            or WorkloadRules.JobNameLabel or "controller-uid" or "job-name")))
            errors.Add(FieldError.Invalid("spec.selector", spec["selector"]?.DeepClone(), "`selector` not auto-generated"));
        if (spec["selector"] is null)
            errors.Add(FieldError.Required("spec.selector"));
        else if (!wanted.All(want => labels.At(want.Key).AsString() == want.Value))
            errors.Add(FieldError.Invalid("spec.template.metadata.labels", labels?.DeepClone(), "`selector` does not match template `labels`"));
    }
}
