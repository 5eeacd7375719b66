using System.Collections.Frozen;

namespace Graft.LocalCluster.Api.Writing;

/// <summary>How a field of a message is written in JSON.</summary>
internal enum ProtobufType
{
    Text,
    Texts,
    Number,
    Flag,
    Message,
    Messages,
    Map,
}

/// <summary>One field of a message.</summary>
internal sealed record ProtobufField(string Name, ProtobufType Type, ProtobufShape? Shape = null);

/// <summary>The fields of a message by their numbers; others are passed over.</summary>
internal sealed class ProtobufShape(params (int Number, ProtobufField Field)[] fields)
{
    private readonly FrozenDictionary<int, ProtobufField> _fields = fields.ToFrozenDictionary(pair => pair.Number, pair => pair.Field);

    public ProtobufField? Find(int number) => _fields.GetValueOrDefault(number);
}

/// <summary>
/// The few kinds that kubectl 1.29 to 1.33 sends in the binary form and no other, with the field numbers of Kubernetes' own
/// <c>generated.proto</c> files (k8s.io/api and k8s.io/apimachinery).
/// </summary>
internal static class ProtobufShapes
{
    private static readonly ProtobufShape ObjectMeta = new(
        (1, Text("name")), (2, Text("generateName")), (3, Text("namespace")), (11, Map("labels")), (12, Map("annotations")));

    private static readonly ProtobufShape ResourceAttributes = new(
        (1, Text("namespace")), (2, Text("verb")), (3, Text("group")), (4, Text("version")), (5, Text("resource")), (6, Text("subresource")),
        (7, Text("name")));

    private static readonly ProtobufShape UrlAttributes = new((1, Text("path")), (2, Text("verb")));

    private static readonly ProtobufShape AccessSpec = new(
        (1, Message("resourceAttributes", ResourceAttributes)), (2, Message("nonResourceAttributes", UrlAttributes)), (3, Text("user")),
        (4, new ProtobufField("groups", ProtobufType.Texts)));

    private static readonly ProtobufShape BoundObject = new((1, Text("kind")), (2, Text("apiVersion")), (3, Text("name")), (4, Text("uid")));

    private static readonly ProtobufShape Preconditions = new((1, Text("uid")), (2, Text("resourceVersion")));

    private static readonly ProtobufShape DeleteOptions = new(
        (1, Number("gracePeriodSeconds")), (2, Message("preconditions", Preconditions)), (3, Flag("orphanDependents")),
        (4, Text("propagationPolicy")), (5, new ProtobufField("dryRun", ProtobufType.Texts)));

    private static readonly FrozenDictionary<string, ProtobufShape> Kinds = new Dictionary<string, ProtobufShape>
    {
        ["SelfSubjectAccessReview"] = Kind(AccessSpec),
        ["SubjectAccessReview"] = Kind(AccessSpec),
        ["LocalSubjectAccessReview"] = Kind(AccessSpec),
        ["SelfSubjectRulesReview"] = Kind(new((1, Text("namespace")))),
        ["SelfSubjectReview"] = new((1, Message("metadata", ObjectMeta))),
        ["TokenReview"] = Kind(new((1, Text("token")), (2, new ProtobufField("audiences", ProtobufType.Texts)))),
        ["TokenRequest"] = Kind(new(
            (1, new ProtobufField("audiences", ProtobufType.Texts)), (3, Message("boundObjectRef", BoundObject)), (4, Number("expirationSeconds")))),
        ["Namespace"] = new((1, Message("metadata", ObjectMeta))),
        ["Eviction"] = new((1, Message("metadata", ObjectMeta)), (2, Message("deleteOptions", DeleteOptions))),
        ["DeleteOptions"] = DeleteOptions,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static ProtobufShape? Find(string kind) => Kinds.GetValueOrDefault(kind);

    private static ProtobufShape Kind(ProtobufShape spec) => new((1, Message("metadata", ObjectMeta)), (2, Message("spec", spec)));

    private static ProtobufField Text(string name) => new(name, ProtobufType.Text);

    private static ProtobufField Number(string name) => new(name, ProtobufType.Number);

    private static ProtobufField Flag(string name) => new(name, ProtobufType.Flag);

    private static ProtobufField Map(string name) => new(name, ProtobufType.Map);

    private static ProtobufField Message(string name, ProtobufShape shape) => new(name, ProtobufType.Message, shape);
}
