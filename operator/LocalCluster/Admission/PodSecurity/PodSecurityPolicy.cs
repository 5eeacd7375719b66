using System.Globalization;
using System.Text.RegularExpressions;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Admission.PodSecurity;

/// <summary>How strict a namespace is; each level has all that the one before has (Pod Security Standards).</summary>
internal enum SecurityLevel
{
    Privileged,
    Baseline,
    Restricted,
}

/// <summary>A level as it was in a version of Kubernetes.</summary>
/// <param name="Minor">The x of v1.x; null for the latest.</param>
internal readonly record struct LevelVersion(SecurityLevel Level, int? Minor)
{
    public bool IsAtLeast(int minor) => Minor is null || Minor >= minor;

    public override string ToString() =>
        $"{Level.ToString().ToLowerInvariant()}:{(Minor is { } minor ? string.Create(CultureInfo.InvariantCulture, $"v1.{minor}") : "latest")}";
}

/// <summary>
/// What the labels of a namespace ask for (kubernetes/staging/src/k8s.io/pod-security-admission/api/helpers.go): refusals by enforce,
/// warnings by warn. Audit labels are read for their faults; there is no audit log here.
/// </summary>
internal sealed partial record PodSecurityPolicy(LevelVersion Enforce, LevelVersion Warn)
{
    public const string EnforceLabel = "pod-security.kubernetes.io/enforce";
    private const string WarnLabel = "pod-security.kubernetes.io/warn";
    private const string AuditLabel = "pod-security.kubernetes.io/audit";

    /// <param name="faults">One for each label that says nothing that is known. A wrong enforce is the strictest, a wrong warn none.</param>
    public static PodSecurityPolicy Of(IReadOnlyDictionary<string, string> labels, List<FieldError> faults)
    {
        var enforce = Read(labels, EnforceLabel, SecurityLevel.Restricted, faults);
        Read(labels, AuditLabel, SecurityLevel.Privileged, faults);
        var warn = Read(labels, WarnLabel, SecurityLevel.Privileged, faults);
        // Without a word about warnings, templates are warned about what their pods will be refused for (since 1.26).
        if (!labels.ContainsKey(WarnLabel) && labels.ContainsKey(EnforceLabel) && enforce.Level > warn.Level)
            warn = new LevelVersion(enforce.Level, labels.ContainsKey(WarnLabel + "-version") ? warn.Minor : enforce.Minor);
        return new PodSecurityPolicy(enforce, warn);
    }

    private static LevelVersion Read(
        IReadOnlyDictionary<string, string> labels, string label, SecurityLevel instead, List<FieldError> faults)
    {
        var level = SecurityLevel.Privileged;
        int? minor = null;
        if (labels.TryGetValue(label, out var text) && !TryLevel(text, out level))
        {
            level = instead;
            faults.Add(FieldError.Invalid($"metadata.labels[{label}]", text, "must be one of privileged, baseline, restricted"));
        }
        if (labels.TryGetValue(label + "-version", out var version) && version != "latest")
        {
            if (Version().Match(version) is { Success: true } match && int.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out var x))
                minor = x;
            else
                faults.Add(FieldError.Invalid($"metadata.labels[{label}-version]", version, "must be \"latest\" or \"v1.x\""));
        }
        return new LevelVersion(level, minor);
    }

    private static bool TryLevel(string text, out SecurityLevel level)
    {
        (var known, level) = text switch
        {
            "privileged" => (true, SecurityLevel.Privileged),
            "baseline" => (true, SecurityLevel.Baseline),
            "restricted" => (true, SecurityLevel.Restricted),
            _ => (false, SecurityLevel.Privileged),
        };
        return known;
    }

    [GeneratedRegex(@"^v1\.([0-9]|[1-9][0-9]*)$")]
    private static partial Regex Version();
}
