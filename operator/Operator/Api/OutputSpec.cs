using Graft.Runtime;

namespace Graft.Operator.Api;

[ValidationRule("has(self.pvc)", message: "exactly one of: pvc")]
internal sealed record OutputSpec
{
    [Description("A PersistentVolumeClaim of this namespace.")]
    public PvcSpec? Pvc { get; init; }
}

internal sealed record PvcSpec
{
    [Required, Length(1, 253), Pattern(NamePatterns.Subdomain), Description("Its name.")]
    public string ClaimName { get; init; } = "";
}
