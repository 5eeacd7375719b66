namespace Graft.LocalCluster.Schema;

/// <summary>The schema of <c>metadata</c>, the same for every kind (meta/v1 ObjectMeta).</summary>
internal static class ObjectMetadataSchema
{
    private static readonly TypeSchema Text = new() { Type = "string" };
    private static readonly TypeSchema Number = new() { Type = "integer", Format = "int64" };
    private static readonly TypeSchema Flag = new() { Type = "boolean" };
    private static readonly TypeSchema Texts = new() { Type = "object", AdditionalProperties = Text };

    public static TypeSchema Instance { get; } = new()
    {
        Type = "object",
        Properties = new Dictionary<string, TypeSchema>
        {
            ["name"] = Text,
            ["generateName"] = Text,
            ["namespace"] = Text,
            ["selfLink"] = Text,
            ["uid"] = Text,
            ["resourceVersion"] = Text,
            ["generation"] = Number,
            ["creationTimestamp"] = Text with { Format = "date-time", Nullable = true },
            ["deletionTimestamp"] = Text with { Format = "date-time", Nullable = true },
            ["deletionGracePeriodSeconds"] = Number,
            ["labels"] = Texts,
            ["annotations"] = Texts,
            ["finalizers"] = new() { Type = "array", Items = Text, ListType = "set", PatchStrategies = ["merge"] },
            ["ownerReferences"] = new()
            {
                Type = "array",
                ListType = "map",
                ListMapKeys = ["uid"],
                PatchStrategies = ["merge"],
                PatchMergeKey = "uid",
                Items = new()
                {
                    Type = "object",
                    MapType = "atomic",
                    Properties = new Dictionary<string, TypeSchema>
                    {
                        ["apiVersion"] = Text,
                        ["kind"] = Text,
                        ["name"] = Text,
                        ["uid"] = Text,
                        ["controller"] = Flag,
                        ["blockOwnerDeletion"] = Flag,
                    },
                },
            },
            ["managedFields"] = new()
            {
                Type = "array",
                ListType = "atomic",
                Items = new()
                {
                    Type = "object",
                    Properties = new Dictionary<string, TypeSchema>
                    {
                        ["manager"] = Text,
                        ["operation"] = Text,
                        ["apiVersion"] = Text,
                        ["time"] = Text with { Format = "date-time" },
                        ["fieldsType"] = Text,
                        ["fieldsV1"] = TypeSchema.Anything,
                        ["subresource"] = Text,
                    },
                },
            },
        },
    };
}
