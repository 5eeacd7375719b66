namespace Graft.Conformance;

/// <summary>The pages that promise what a server says of itself.</summary>
internal static partial class Sources
{
    private const string AboutApi = "https://kubernetes.io/docs/concepts/overview/kubernetes-api/";
    private const string AggregatedCode = ApiServer + "endpoints/discovery/aggregated/";

    public static Source DiscoveryApi { get; } = new("The Kubernetes API: discovery", AboutApi + "#discovery-api");

    public static Source AggregatedDiscovery { get; } = new("The Kubernetes API: aggregated discovery", AboutApi + "#aggregated-discovery");

    public static Source AggregatedHandler { get; } = new("discovery/aggregated/handler.go", AggregatedCode + "handler.go");

    public static Source AggregatedTag { get; } = new("discovery/aggregated/etag.go", AggregatedCode + "etag.go");

    public static Source AggregatedWrapper { get; } = new("discovery/aggregated/wrapper.go", AggregatedCode + "wrapper.go");

    public static Source StorageVersionHash { get; } =
        new("discovery/storageversionhash.go", ApiServer + "endpoints/discovery/storageversionhash.go");

    public static Source GroupPriorities { get; } =
        new("controlplane/apiserver/aggregator.go", Code + "pkg/controlplane/apiserver/aggregator.go");

    public static Source CustomDiscovery { get; } = new("apiextensions: customresource_discovery_controller.go",
        Code + "staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_discovery_controller.go");

    public static Source CustomOpenApi { get; } = new("apiextensions: openapi/builder/builder.go",
        Code + "staging/src/k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder/builder.go");

    public static Source OpenApi { get; } = new("The Kubernetes API: OpenAPI v3", AboutApi + "#openapi-v3");

    public static Source OpenApi2 { get; } = new("The Kubernetes API: OpenAPI v2", AboutApi + "#openapi-v2");

    public static Source OpenApiHandler { get; } = new("kube-openapi: handler3/handler.go",
        "https://github.com/kubernetes/kube-openapi/blob/master/pkg/handler3/handler.go");

    public static Source HealthEndpoints { get; } =
        new("Kubernetes API health endpoints", "https://kubernetes.io/docs/reference/using-api/health-checks/");

    public static Source HealthHandler { get; } = new("apiserver: server/healthz/healthz.go", ApiServer + "server/healthz/healthz.go");

    public static Source VersionInfo { get; } = new("apimachinery: version/types.go", Machinery + "version/types.go");
}
