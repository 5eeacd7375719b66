using System.Text.Json.Serialization;
using Graft.Runtime;
using k8s.Models;

namespace Graft.Operator.Api;

/// <summary>A base model with the adapters that are served on it.</summary>
[KubernetesEntity(Group = ApiNames.Group, ApiVersion = ApiNames.Version, Kind = "AdapterDeployment", PluralName = "adapterdeployments")]
[KubernetesEntityShortNames("adp"), KubernetesEntityCategories(ApiNames.Category)]
[Description("A base model and the adapters that are served on it, under the names that clients put into \"model\".")]
[ScaleSubresource(".spec.replicas", ".status.replicas", ".status.selector")]
[GenericAdditionalPrinterColumn(".status.engine", "Engine", "string")]
[GenericAdditionalPrinterColumn(".status.adapterSummary", "Adapters", "string")]
[GenericAdditionalPrinterColumn(".status.readyReplicas", "Replicas", "integer")]
[GenericAdditionalPrinterColumn(".status.phase", "Phase", "string")]
[GenericAdditionalPrinterColumn(".status.endpoint", "Endpoint", "string", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
internal sealed class AdapterDeployment : CustomKubernetesEntity<AdapterDeploymentSpec, AdapterDeploymentStatus>;

[ValidationRule("self.model == oldSelf.model", message: "model cannot change: another base model is another AdapterDeployment")]
[ValidationRule("has(self.engine.graft) == has(oldSelf.engine.graft)", message: "the engine cannot change; its image and arguments can")]
internal sealed record AdapterDeploymentSpec
{
    [Required, Description("The base model.")]
    public ServedModelSpec Model { get; init; } = new();

    [DefaultValue(Json = """{"graft": {}}"""), Description("What answers. Exactly one member.")]
    public EngineSpec Engine { get; init; } = EngineSpec.Default;

    [DefaultValue(1), RangeMinimum(0), RangeMaximum(1000), Description("Pods that serve.")]
    public int Replicas { get; init; } = 1;

    [Items(maxItems: 64), XListType(ListType.Map), XListMapKeys("name")]
    [Description("Adapters on the base model. None: the base model alone.")]
    public IList<AdapterSpec>? Adapters { get; init; }

    [Description("What each pod asks for. Absent: whatever the node has, without a GPU.")]
    public ResourcesSpec? Resources { get; init; }
}

internal sealed record ServedModelSpec
{
    [Required, Length(1, 1024)]
    [Description(SourceTexts.Model)]
    public string Source { get; init; } = "";

    [Description(SourceTexts.Credentials)]
    public SecretRef? CredentialsRef { get; init; }

    [Description(SourceTexts.Cache)]
    public CacheSpec? Cache { get; init; }
}

[ValidationRule("has(self.graft)", message: "exactly one of: graft")]
internal sealed record EngineSpec
{
    public static EngineSpec Default => new() { Graft = new() };

    [Description("Graft's own server.")]
    public GraftEngineSpec? Graft { get; init; }

    /// <summary>The member that is set, as it is printed.</summary>
    [JsonIgnore, Ignore]
    public string? Name => Graft is null ? null : "graft";
}

internal sealed record GraftEngineSpec
{
    [Length(1, 512), Description("Absent: the operator's.")]
    public string? Image { get; init; }

    [Items(maxItems: 32), Length(maxLength: 1024), Description("Further arguments of the server.")]
    public IList<string>? Args { get; init; }
}

internal sealed record AdapterSpec
{
    [Required, Length(1, 63), Pattern(NamePatterns.Label), Description("The name that clients put into \"model\".")]
    public string Name { get; init; } = "";

    [Required, Description("Where it comes from. Exactly one member.")]
    public AdapterOrigin From { get; init; } = new();
}

[ValidationRule("has(self.fineTuneJobRef) != has(self.artifact)", message: "exactly one of: fineTuneJobRef, artifact")]
internal sealed record AdapterOrigin
{
    [Description("What a FineTuneJob of this namespace makes.")]
    public FineTuneJobRef? FineTuneJobRef { get; init; }

    [Description("An artifact that is there already.")]
    public ArtifactRef? Artifact { get; init; }
}

internal sealed record FineTuneJobRef
{
    [Required, Length(1, 253), Pattern(NamePatterns.Subdomain)]
    public string Name { get; init; } = "";
}

internal sealed record ArtifactRef
{
    [Required, Length(1, 1024), Description("pvc://CLAIM/PATH.")]
    public string Uri { get; init; } = "";

    [Length(71, 71), Pattern(NamePatterns.Digest), Description("Digest of its manifest.json, shown in status.")]
    public string? Digest { get; init; }
}

/// <summary>What is served right now. Every field is written by the operator.</summary>
internal sealed record AdapterDeploymentStatus
{
    [Description("The generation that this status speaks of.")]
    public long? ObservedGeneration { get; init; }

    [Length(maxLength: 32), Description("A word for people; programs read conditions.")]
    public string? Phase { get; init; }

    [Length(maxLength: 32), Description("The member of spec.engine.")]
    public string? Engine { get; init; }

    [Length(maxLength: 16), Description("Adapters that every ready pod holds, of those wanted.")]
    public string? AdapterSummary { get; init; }

    [Length(maxLength: 1024), Description("Label selector of the pods.")]
    public string? Selector { get; init; }

    [Items(maxItems: 16), XListType(ListType.Map), XListMapKeys("type")]
    [Description("Ready, Reconciling and Stalled as kstatus reads them; Available and Progressing as of a Deployment.")]
    public IList<V1Condition>? Conditions { get; init; }

    [Length(maxLength: 512), Description("Where clients find the OpenAI-compatible API.")]
    public string? Endpoint { get; init; }

    [Items(maxItems: 64), XListType(ListType.Map), XListMapKeys("name")]
    public IList<AdapterStatus>? Adapters { get; init; }

    public int? Replicas { get; init; }
    public int? ReadyReplicas { get; init; }
}

internal sealed record AdapterStatus
{
    [Required, Length(1, 63)]
    public string Name { get; init; } = "";

    [Description("What the name answers with.")]
    public RevisionStatus? Current { get; init; }

    [Description("What it will answer with.")]
    public CandidateStatus? Candidate { get; init; }

    public AdapterReplicas? Replicas { get; init; }
}

internal sealed record RevisionStatus
{
    [Length(maxLength: 71)]
    public string? Digest { get; init; }

    [Length(maxLength: 1280)]
    public string Uri { get; init; } = "";

    [Length(maxLength: 253), Description("The FineTuneJob that it was resolved from.")]
    public string? FineTuneJob { get; init; }
}

internal sealed record CandidateStatus
{
    [Length(maxLength: 71)]
    public string? Digest { get; init; }

    [Length(maxLength: 1280)]
    public string? Uri { get; init; }

    [Length(maxLength: 253), Description("The FineTuneJob that it was resolved from.")]
    public string? FineTuneJob { get; init; }

    [Description("Waiting (for its run), Loading, or Failed.")]
    public CandidateState State { get; init; }

    [Length(maxLength: 4096), Description("Why it is not served yet; an engine's own words where it refused.")]
    public string? Message { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<CandidateState>))]
internal enum CandidateState { Waiting, Loading, Failed }

internal sealed record AdapterReplicas
{
    public int Wanted { get; init; }
    public int Loaded { get; init; }
}
