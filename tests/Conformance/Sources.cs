namespace Graft.Conformance;

/// <summary>The pages that promise the behaviours.</summary>
internal static partial class Sources
{
    private const string Concepts = "https://kubernetes.io/docs/reference/using-api/api-concepts/";
    private const string Apply = "https://kubernetes.io/docs/reference/using-api/server-side-apply/";
    private const string Code = "https://github.com/kubernetes/kubernetes/blob/release-1.33/";
    private const string ApiServer = Code + "staging/src/k8s.io/apiserver/pkg/";
    private const string Machinery = Code + "staging/src/k8s.io/apimachinery/pkg/";
    private const string Conventions = "https://github.com/kubernetes/community/blob/main/contributors/devel/sig-architecture/api-conventions.md";

    public static Source Resources { get; } = new("API concepts: resource URIs", Concepts + "#resource-uris");

    public static Source Watches { get; } = new("API concepts: efficient detection of changes",
        Concepts + "#efficient-detection-of-changes");

    public static Source Bookmarks { get; } = new("API concepts: watch bookmarks", Concepts + "#watch-bookmarks");

    public static Source StreamingLists { get; } = new("API concepts: streaming lists", Concepts + "#streaming-lists");

    public static Source Chunks { get; } = new("API concepts: large result sets in chunks",
        Concepts + "#retrieving-large-results-sets-in-chunks");

    public static Source Tables { get; } = new("API concepts: resources as tables", Concepts + "#receiving-resources-as-tables");

    public static Source Representations { get; } =
        new("API concepts: alternate representations", Concepts + "#alternate-representations-of-resources");

    public static Source Deletion { get; } = new("API concepts: resource deletion", Concepts + "#resource-deletion");

    public static Source FieldValidation { get; } = new("API concepts: field validation", Concepts + "#setting-the-field-validation-level");

    public static Source DryRun { get; } = new("API concepts: dry-run", Concepts + "#dry-run");

    public static Source GeneratedValues { get; } = new("API concepts: generated values", Concepts + "#generated-values");

    public static Source Updates { get; } = new("API concepts: updates to existing resources", Concepts + "#update-mechanism-update");

    public static Source Patches { get; } = new("API concepts: patches", Concepts + "#patch-and-apply");

    public static Source Versions { get; } = new("API concepts: resource versions", Concepts + "#resource-versions");

    public static Source VersionSemantics { get; } = new("API concepts: semantics for get and list",
        Concepts + "#semantics-for-get-and-list");

    public static Source WatchSemantics { get; } = new("API concepts: semantics for watch", Concepts + "#semantics-for-watch");

    public static Source Gone { get; } = new("API concepts: 410 Gone", Concepts + "#410-gone-responses");

    public static Source TooNew { get; } = new("API concepts: unavailable resource versions", Concepts + "#unavailable-resource-versions");

    public static Source FieldManagement { get; } = new("Server-Side Apply: field management", Apply + "#field-management");

    public static Source ApplyConflicts { get; } = new("Server-Side Apply: conflicts", Apply + "#conflicts");

    public static Source Managers { get; } = new("Server-Side Apply: field managers", Apply + "#managers");

    public static Source ApplyAndUpdate { get; } = new("Server-Side Apply: operations in scope", Apply + "#apply-and-update");

    public static Source MergeStrategy { get; } = new("Server-Side Apply: merge strategy", Apply + "#merge-strategy");

    public static Source Transfer { get; } = new("Server-Side Apply: transferring ownership", Apply + "#transferring-ownership");

    public static Source FromClientSide { get; } =
        new("Server-Side Apply: upgrading from client-side apply", Apply + "#upgrading-from-client-side-apply-to-server-side-apply");

    public static Source ClearingFields { get; } = new("Server-Side Apply: clearing managedFields", Apply + "#clearing-managedfields");

    public static Source Serialization { get; } = new("Server-Side Apply: serialization", Apply + "#serialization");

    public static Source Labels { get; } = new("Labels and selectors",
        "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/");

    public static Source FieldSelectors { get; } =
        new("Field selectors", "https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/");

    public static Source CoreConversion { get; } = new("core/v1/conversion.go", Code + "pkg/apis/core/v1/conversion.go");

    public static Source Names { get; } = new("Object names and IDs",
        "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/");

    public static Source Annotations { get; } =
        new("Annotations", "https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set");

    public static Source Namespaces { get; } =
        new("Namespaces", "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/");

    public static Source ConfigMapSize { get; } = new("ConfigMap object",
        "https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-object");

    public static Source RootCertificate { get; } = new("Trusting TLS in a cluster",
        "https://kubernetes.io/docs/tasks/tls/managing-tls-in-a-cluster/#trusting-tls-in-a-cluster");

    public static Source Finalizers { get; } =
        new("Finalizers", "https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/");

    public static Source Garbage { get; } = new("Garbage collection",
        "https://kubernetes.io/docs/concepts/architecture/garbage-collection/");

    public static Source Owners { get; } =
        new("Owners and dependents", "https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/");

    public static Source ConfigMaps { get; } = new("Immutable ConfigMaps",
        "https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable");

    public static Source Secrets { get; } = new("Secrets", "https://kubernetes.io/docs/concepts/configuration/secret/");

    public static Source CustomStatus { get; } = new("CRDs: status subresource",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#status-subresource");

    public static Source CustomScale { get; } = new("CRDs: scale subresource",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#scale-subresource");

    public static Source CustomColumns { get; } = new("CRDs: additional printer columns",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns");

    public static Source CustomFields { get; } = new("CRDs: field selectors",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#crd-selectable-fields");

    public static Source CustomSchema { get; } = new("CRDs: structural schema",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema");

    public static Source Definitions { get; } = new("CRDs: create a CustomResourceDefinition",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#create-a-customresourcedefinition");

    public static Source DefinitionDeletion { get; } = new("CRDs: delete a CustomResourceDefinition",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#delete-a-customresourcedefinition");

    public static Source Pruning { get; } = new("CRDs: field pruning",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning");

    public static Source Defaulting { get; } = new("CRDs: defaulting",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting");

    public static Source Rules { get; } = new("CRDs: validation rules",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules");

    public static Source RuleBudget { get; } = new("CRDs: resource use by validation functions",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions");

    public static Source Ratcheting { get; } = new("CRDs: validation ratcheting",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting");

    public static Source Versioning { get; } = new("Versions in CustomResourceDefinitions",
        "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/");

    public static Source DefinitionValidation { get; } = new("apiextensions/validation.go",
        Code + "staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go");

    public static Source StrategicPatch { get; } = new("Update objects with kubectl patch",
        "https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/");

    public static Source StrategicNotes { get; } = new("Strategic merge patch",
        "https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md");

    public static Source JsonPatch { get; } = new("RFC 6902", "https://datatracker.ietf.org/doc/html/rfc6902");

    public static Source JsonPointer { get; } = new("RFC 6901", "https://datatracker.ietf.org/doc/html/rfc6901");

    public static Source MergePatch { get; } = new("RFC 7386", "https://datatracker.ietf.org/doc/html/rfc7386");

    public static Source Statuses { get; } = new("API conventions: response status kind", Conventions + "#response-status-kind");

    public static Source Metadata { get; } = new("API conventions: metadata", Conventions + "#metadata");

    public static Source SpecAndStatus { get; } = new("API conventions: spec and status", Conventions + "#spec-and-status");

    public static Source Concurrency { get; } = new("API conventions: concurrency control",
        Conventions + "#concurrency-control-and-consistency");

    public static Source Idempotency { get; } = new("API conventions: idempotency", Conventions + "#idempotency");

    public static Source Store { get; } = new("registry/store.go", ApiServer + "registry/generic/registry/store.go");

    public static Source Etcd { get; } = new("etcd3/store.go", ApiServer + "storage/etcd3/store.go");

    public static Source StorageErrors { get; } = new("storage/errors/storage.go", ApiServer + "storage/errors/storage.go");

    public static Source NameGenerator { get; } = new("storage/names/generate.go", ApiServer + "storage/names/generate.go");

    public static Source WatchCache { get; } = new("cacher/cache_watcher.go", ApiServer + "storage/cacher/cache_watcher.go");

    public static Source StatusWriter { get; } = new("responsewriters/status.go",
        ApiServer + "endpoints/handlers/responsewriters/status.go");

    public static Source ScaleValidation { get; } =
        new("autoscaling/validation.go", Code + "pkg/apis/autoscaling/validation/validation.go");

    public static Source TypedApply { get; } =
        new("managedfields/structuredmerge.go", Machinery + "util/managedfields/internal/structuredmerge.go");

    public static Source NamespaceStorage { get; } =
        new("namespace/storage.go", Code + "pkg/registry/core/namespace/storage/storage.go");

    public static Source CustomStrategy { get; } = new("customresource/strategy.go",
        Code + "staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go");

    public static Source BeforeDelete { get; } = new("rest/delete.go", ApiServer + "registry/rest/delete.go");

    public static Source BeforeUpdate { get; } = new("rest/update.go", ApiServer + "registry/rest/update.go");

    public static Source BeforeCreate { get; } = new("rest/create.go", ApiServer + "registry/rest/create.go");

    public static Source Handlers { get; } = new("handlers/rest.go", ApiServer + "endpoints/handlers/rest.go");

    public static Source PatchHandler { get; } = new("handlers/patch.go", ApiServer + "endpoints/handlers/patch.go");

    public static Source GetHandler { get; } = new("handlers/get.go", ApiServer + "endpoints/handlers/get.go");

    public static Source DeleteHandler { get; } = new("handlers/delete.go", ApiServer + "endpoints/handlers/delete.go");

    public static Source ResponseHandler { get; } = new("handlers/response.go", ApiServer + "endpoints/handlers/response.go");

    public static Source Negotiation { get; } =
        new("negotiation/errors.go", ApiServer + "endpoints/handlers/negotiation/errors.go");

    public static Source ContinueTokens { get; } = new("storage/continue.go", ApiServer + "storage/continue.go");

    public static Source NamespaceLifecycle { get; } =
        new("namespace/lifecycle/admission.go", ApiServer + "admission/plugin/namespace/lifecycle/admission.go");

    public static Source Errors { get; } = new("api/errors/errors.go", Machinery + "api/errors/errors.go");

    public static Source ObjectMeta { get; } = new("api/validation/objectmeta.go", Machinery + "api/validation/objectmeta.go");

    public static Source Options { get; } = new("meta/v1/validation/validation.go", Machinery + "apis/meta/v1/validation/validation.go");

    public static Source ListOptions { get; } =
        new("meta/internalversion/validation.go", Machinery + "apis/meta/internalversion/validation/validation.go");

    public static Source LabelParser { get; } = new("labels/selector.go", Machinery + "labels/selector.go");

    public static Source FieldParser { get; } = new("fields/selector.go", Machinery + "fields/selector.go");

    public static Source NamespaceConditions { get; } = new("namespace/status_condition_utils.go",
        Code + "pkg/controller/namespace/deletion/status_condition_utils.go");

    public static Source YamlDecoder { get; } = new("serializer/json/json.go", Machinery + "runtime/serializer/json/json.go");

    public static Source FieldManagerTests { get; } =
        new("managedfields/fieldmanager.go", Machinery + "util/managedfields/internal/fieldmanager.go");

    public static Source CoreTypes { get; } = new("core/v1/types.go", Code + "staging/src/k8s.io/api/core/v1/types.go");

    public static Source ServerConfig { get; } = new("server/config.go", ApiServer + "server/config.go");

    public static Source DeploymentStrategy { get; } =
        new("deployment/strategy.go", Code + "pkg/registry/apps/deployment/strategy.go");

    public static Source Rbac { get; } = new("Using RBAC authorization", "https://kubernetes.io/docs/reference/access-authn-authz/rbac/");

    public static Source DefaultRoles { get; } = new("RBAC: default roles",
        "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings");

    public static Source Escalation { get; } = new("RBAC: privilege escalation prevention",
        "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping");

    public static Source Aggregation { get; } = new("RBAC: aggregated ClusterRoles",
        "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles");

    public static Source RequestVerbs { get; } = new("Authorization: request verbs",
        "https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb");

    public static Source Reviews { get; } = new("Authorization: checking API access",
        "https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access");

    public static Source Impersonation { get; } = new("Authentication: user impersonation",
        "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation");

    public static Source Authentication { get; } = new("Authentication", "https://kubernetes.io/docs/reference/access-authn-authz/authentication/");

    public static Source SelfReview { get; } = new("Authentication: API access to user information",
        "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review");

    public static Source ServiceAccounts { get; } = new("Managing service accounts",
        "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/");

    public static Source TokenRequests { get; } = new("TokenRequest", "https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/");

    public static Source TokenReviews { get; } = new("TokenReview", "https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/");

    public static Source TokenSecrets { get; } = new("Secrets: service account tokens",
        "https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets");

    public static Source TokenValidation { get; } = new("authentication/validation.go", Code + "pkg/apis/authentication/validation/validation.go");

    public static Source BoundTokens { get; } = new("KEP-1205: bound service account tokens",
        "https://github.com/kubernetes/enhancements/tree/master/keps/sig-auth/1205-bound-service-account-tokens");

    public static Source PodSecurity { get; } = new("Pod Security Admission", "https://kubernetes.io/docs/concepts/security/pod-security-admission/");

    public static Source PodSecurityStandards { get; } = new("Pod Security Standards",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/");

    public static Source PodLifecycle { get; } =
        new("Pod lifecycle", "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/");
}
