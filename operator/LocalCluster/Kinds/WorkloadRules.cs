using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>Defaults, selectors and immutable fields of Jobs, Deployments and ReplicaSets.</summary>
internal static class WorkloadRules
{
    public const string JobUidLabel = "batch.kubernetes.io/controller-uid";
    public const string JobNameLabel = "batch.kubernetes.io/job-name";

    public static KindRules Jobs { get; } = new()
    {
        Default = DefaultJob,
        OnCreate = (job, _) => SetJobSelector(job),
        Validate = ValidateJob,
        ValidateUpdate = (job, old, errors) =>
        {
            foreach (var field in (string[])["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"])
                Immutable(job, old, field, errors);
            ValidateElastic(job, old, errors);
            ValidateTemplate(job, old, errors);
        },
    };

    public static KindRules Deployments { get; } = new()
    {
        Default = deployment =>
        {
            var spec = deployment.Child("spec");
            spec.SetDefault("replicas", 1);
            spec.SetDefault("revisionHistoryLimit", 10);
            spec.SetDefault("progressDeadlineSeconds", 600);
            var strategy = spec.Child("strategy");
            strategy.SetDefault("type", "RollingUpdate");
            if (strategy["type"].AsString() == "RollingUpdate")
            {
                strategy.Child("rollingUpdate").SetDefault("maxUnavailable", "25%");
                strategy.Child("rollingUpdate").SetDefault("maxSurge", "25%");
            }
            DefaultTemplate(spec);
        },
        Validate = ValidateDeployment,
        ValidateUpdate = (deployment, old, errors) => Immutable(deployment, old, "selector", errors),
    };

    public static KindRules ReplicaSets { get; } = new()
    {
        Default = replicaSet =>
        {
            replicaSet.Child("spec").SetDefault("replicas", 1);
            DefaultTemplate(replicaSet.Child("spec"));
        },
        OnCreate = (replicaSet, _) => replicaSet["status"] = new JsonObject { ["replicas"] = 0 },
        Validate = ValidateSelected,
        ValidateUpdate = (replicaSet, old, errors) => Immutable(replicaSet, old, "selector", errors),
    };

    private static void DefaultTemplate(JsonObject spec)
    {
        if (spec["template"] is JsonObject template)
            PodRules.DefaultSpec(template.Child("spec"));
    }

    private static void DefaultJob(JsonObject job)
    {
        var spec = job.Child("spec");
        if (spec["completions"] is null && spec["parallelism"] is null)
            spec["completions"] = 1;
        spec.SetDefault("parallelism", 1);
        spec.SetDefault("backoffLimit", spec["backoffLimitPerIndex"] is null ? 6 : int.MaxValue);
        spec.SetDefault("completionMode", "NonIndexed");
        spec.SetDefault("suspend", false);
        spec.SetDefault("manualSelector", false);
        spec.SetDefault("podReplacementPolicy", spec["podFailurePolicy"] is null ? "TerminatingOrFailed" : "Failed");
        foreach (var rule in spec.At("podFailurePolicy", "rules").Objects())
        {
            foreach (var pattern in rule["onPodConditions"].Objects())
                pattern.SetDefault("status", "True");
        }
        DefaultTemplate(spec);
    }

    private static void SetJobSelector(JsonObject job)
    {
        var spec = job.Child("spec");
        if (spec["manualSelector"].AsBool())
            return;
        var labels = spec.Child("template").Child("metadata").Child("labels");
        labels[JobUidLabel] = job.Uid();
        labels[JobNameLabel] = job.Name();
        labels["controller-uid"] = job.Uid();
        labels["job-name"] = job.Name();
        spec.Child("selector").Child("matchLabels")[JobUidLabel] = job.Uid();
    }

    private static void ValidateJob(JsonObject job, List<FieldError> errors)
    {
        var spec = job.At("spec", "template", "spec") as JsonObject;
        JobRules.Validate(job, errors);
        PodRules.ValidateSpec(spec, "spec.template.spec", errors);
        if (spec?["restartPolicy"].AsString() is not ("Never" or "OnFailure"))
            errors.Add(
                FieldError.NotSupported("spec.template.spec.restartPolicy", spec?["restartPolicy"]?.DeepClone(), ["OnFailure", "Never"]));
        foreach (var field in (string[])["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished",
            "backoffLimitPerIndex", "maxFailedIndexes"])
        {
            if (job.At("spec", field).AsLong() is < 0)
                errors.Add(FieldError.Invalid($"spec.{field}", job.At("spec", field)?.DeepClone(), "must be greater than or equal to 0"));
        }
        if (job.At("spec", "podFailurePolicy") is not null && spec?["restartPolicy"].AsString() == "OnFailure")
            errors.Add(FieldError.Invalid("spec.template.spec.restartPolicy", "OnFailure",
                "only \"Never\" is supported when podFailurePolicy is specified"));
    }

    /// <summary>The completions of an Indexed Job may change together with its parallelism (KEP-3715).</summary>
    private static void ValidateElastic(JsonObject job, JsonObject old, List<FieldError> errors)
    {
        var (now, before) = (job.At("spec", "completions"), old.At("spec", "completions"));
        if (JsonNode.DeepEquals(now, before))
            return;
        if (job.At("spec", "completionMode").AsString() != "Indexed")
            Immutable(job, old, "completions", errors);
        else if (now.AsLong() != job.At("spec", "parallelism").AsLong())
            errors.Add(FieldError.Invalid("spec.completions", now?.DeepClone(), "can only be modified in tandem with spec.parallelism"));
    }

    /// <summary>Where pods go may change while a Job is suspended and has not started (KEP-2926).</summary>
    private static void ValidateTemplate(JsonObject job, JsonObject old, List<FieldError> errors)
    {
        if (!old.At("spec", "suspend").AsBool() || old.At("status", "startTime") is not null)
        {
            Immutable(job, old, "template", errors);
            return;
        }
        if (!JsonNode.DeepEquals(Unplaced(job), Unplaced(old)))
            errors.Add(FieldError.Invalid("spec.template", job.At("spec", "template")?.DeepClone(), "field is immutable"));
    }

    private static JsonObject? Unplaced(JsonObject job)
    {
        var template = job.At("spec", "template")?.DeepClone() as JsonObject;
        foreach (var field in (string[])["annotations", "labels"])
            (template?["metadata"] as JsonObject)?.Remove(field);
        if (template?["metadata"] is JsonObject { Count: 0 })
            template.Remove("metadata");
        foreach (var field in (string[])["nodeSelector", "tolerations", "affinity", "schedulingGates"])
            (template?["spec"] as JsonObject)?.Remove(field);
        return template;
    }

    private static void ValidateDeployment(JsonObject deployment, List<FieldError> errors)
    {
        ValidateSelected(deployment, errors);
        var strategy = deployment.At("spec", "strategy", "type").AsString();
        if (strategy is not ("Recreate" or "RollingUpdate"))
            errors.Add(FieldError.NotSupported("spec.strategy.type", strategy, ["Recreate", "RollingUpdate"]));
        if (strategy == "RollingUpdate" && deployment.At("spec", "strategy", "rollingUpdate") is JsonObject rolling)
        {
            DisruptionRules.Share(rolling["maxUnavailable"], "spec.strategy.rollingUpdate.maxUnavailable", errors);
            DisruptionRules.Share(rolling["maxSurge"], "spec.strategy.rollingUpdate.maxSurge", errors, upTo100: false);
            if (rolling["maxUnavailable"].AsText() is "0" or "0%" && rolling["maxSurge"].AsText() is "0" or "0%")
            {
                errors.Add(FieldError.Invalid(
                    "spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"]?.DeepClone(), "may not be 0 when `maxSurge` is 0"));
            }
        }
        if (deployment.At("spec", "progressDeadlineSeconds") is { } deadline
            && deadline.AsLong() <= (deployment.At("spec", "minReadySeconds").AsLong() ?? 0))
            errors.Add(FieldError.Invalid("spec.progressDeadlineSeconds", deadline.DeepClone(), "must be greater than minReadySeconds"));
        if (deployment.At("spec", "strategy", "type").AsString() == "Recreate" && deployment.At("spec", "strategy", "rollingUpdate") is not null)
            errors.Add(FieldError.Forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"));
    }

    private static void ValidateSelected(JsonObject obj, List<FieldError> errors)
    {
        PodRules.ValidateSpec(obj.At("spec", "template", "spec") as JsonObject, "spec.template.spec", errors);
        var policy = obj.At("spec", "template", "spec", "restartPolicy").AsString();
        if (policy is not (null or "Always"))
            errors.Add(FieldError.NotSupported("spec.template.spec.restartPolicy", policy, ["Always"]));
        if (obj.At("spec", "replicas").AsLong() is < 0)
            errors.Add(FieldError.Invalid("spec.replicas", obj.At("spec", "replicas")?.DeepClone(), "must be greater than or equal to 0"));
        if (obj.At("spec", "selector") is not JsonObject { Count: > 0 } selector)
        {
            errors.Add(FieldError.Required("spec.selector"));
            return;
        }
        var labels = obj.At("spec", "template", "metadata", "labels");
        if (!selector["matchLabels"].StringMap().All(want => labels.At(want.Key).AsString() == want.Value))
            errors.Add(
                FieldError.Invalid("spec.template.metadata.labels", labels?.DeepClone(), "`selector` does not match template `labels`"));
    }

    private static void Immutable(JsonObject obj, JsonObject old, string field, List<FieldError> errors)
    {
        var (now, before) = (obj.At("spec", field), old.At("spec", field));
        if (!JsonNode.DeepEquals(now, before))
            errors.Add(FieldError.Invalid($"spec.{field}", now?.DeepClone(), "field is immutable"));
    }
}
