namespace Graft.LocalCluster.Api.Access;

/// <summary>Who sent a request, as its credentials say (https://kubernetes.io/docs/reference/access-authn-authz/authentication/).</summary>
internal sealed record Requester(string User, IReadOnlyList<string> Groups)
{
    /// <summary>Whoever is in it may do everything, whatever roles say.</summary>
    public const string Masters = "system:masters";

    public const string Authenticated = "system:authenticated";
    private const string ServiceAccountPrefix = "system:serviceaccount:";

    public static Requester Administrator { get; } = new("system:admin", [Masters, Authenticated]);

    public string Uid { get; init; } = "";

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    public bool IsAdministrator => Groups.Contains(Masters);

    /// <summary>A user in the groups that its name tells: those of service accounts.</summary>
    public static Requester Named(string user) => new(user, GroupsOf(user));

    public static IReadOnlyList<string> GroupsOf(string user) =>
        user.StartsWith(ServiceAccountPrefix, StringComparison.Ordinal) && user[ServiceAccountPrefix.Length..].Split(':') is [var ns, _]
            ? ["system:serviceaccounts", $"system:serviceaccounts:{ns}", Authenticated]
            : [Authenticated];

    public static string ServiceAccount(string ns, string name) => $"{ServiceAccountPrefix}{ns}:{name}";
}
