using Graft.Conformance.Areas;

namespace Graft.Conformance;

/// <summary>All behaviours. An area is a file of its own and a line here.</summary>
internal static class Table
{
    public static IReadOnlyList<Area> Areas { get; } =
    [
        Concurrency.Area,
        DryRun.Area,
        FieldValidation.Area,
        ListChunking.Area,
        ResourceVersions.Area,
        Watching.Area,
        Tables.Area,
        DeleteOptions.Area,
        DeleteCollection.Area,
        GenerateName.Area,
        NamespaceLife.Area,
        Selectors.Area,
        Subresources.Area,
        Generation.Area,
        JsonPatches.Area,
        MergePatches.Area,
        StrategicMerge.Area,
        ServerSideApply.Area,
        Discovery.Area,
        OpenApi.Area,
        Health.Area,
        DeliveryTools.Area,
        Refusals.Area,
        BadInput.Area,
        CustomKinds.Area,
        Rules.Area,
        Authorization.Area,
        Tokens.Area,
        PodSecurity.Area,
        PodLife.Area,
        Scheduling.Area,
        PodContainers.Area,
        Probes.Area,
        Volumes.Area,
        Jobs.Area,
        Deployments.Area,
        Disruption.Area,
        Claims.Area,
    ];

    public static Case Find(CaseName name) => Areas.Single(area => area.Title == name.Area).Cases.Single(c => c.Sentence == name.Sentence);
}
