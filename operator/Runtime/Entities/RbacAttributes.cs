namespace Graft.Runtime;

[Flags]
public enum RbacVerb
{
    None = 0,
    All = 1,
    Get = 2,
    List = 4,
    Watch = 8,
    Create = 16,
    Update = 32,
    Patch = 64,
    Delete = 128,
    AllExplicit = Get | List | Watch | Create | Update | Patch | Delete,
}

/// <summary>What the operator does with these kinds; the RBAC rules are generated from it.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class EntityRbacAttribute(params Type[] entities) : Attribute
{
    public IReadOnlyList<Type> Entities { get; } = entities;

    public RbacVerb Verbs { get; init; }

    /// <summary>Grants the verbs on this subresource (for instance `status`) instead of on the kinds themselves.</summary>
    public string? Subresource { get; init; }

    /// <summary>Grants the verbs on objects of these names alone. Creations and collections have no name, so a rule for them must not.</summary>
    public string[] ResourceNames { get; init; } = [];
}

/// <summary>A rule by names, for what has no C# type.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class GenericRbacAttribute : Attribute
{
    public string[] Groups { get; init; } = [];

    public string[] Resources { get; init; } = [];

    public string[] ResourceNames { get; init; } = [];

    public string[] Urls { get; init; } = [];

    public RbacVerb Verbs { get; init; }
}
