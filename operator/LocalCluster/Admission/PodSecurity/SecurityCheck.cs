namespace Graft.LocalCluster.Admission.PodSecurity;

/// <summary>One check of a level.</summary>
/// <param name="Since">The x of the v1.x that first had it.</param>
internal sealed record SecurityCheck(string Id, SecurityLevel Level, int Since, Func<PodView, LevelVersion, Violation?> Run)
{
    /// <summary>A check of a lower level that this one says better.</summary>
    public string Overrides { get; init; } = "";
}

/// <summary>All checks (pod-security-admission/policy/registry.go): those of the baseline first, each level by name.</summary>
internal static class SecurityChecks
{
    private static readonly SecurityCheck[] All = [.. BaselineChecks.All, .. RestrictedChecks.All];

    public static IReadOnlyList<Violation> Evaluate(LevelVersion wanted, PodView pod)
    {
        var checks = All.Where(check => check.Level <= wanted.Level && wanted.IsAtLeast(check.Since)).ToList();
        var overridden = checks.Select(check => check.Overrides).ToHashSet(StringComparer.Ordinal);
        return [.. checks.Where(check => !overridden.Contains(check.Id)).Select(check => check.Run(pod, wanted)).OfType<Violation>()];
    }
}
