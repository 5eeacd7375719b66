using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record Ia3Spec
{
    [Description("Which linear layers are scaled. Absent: what PEFT takes for the model's architecture.")]
    public Ia3TargetsSpec? Targets { get; init; }
}

[ValidationRule("!has(self.feedForward) || self.feedForward.all(f, f in self.modules)",
    message: "feedForward names only what modules names")]
internal sealed record Ia3TargetsSpec
{
    [Required, Items(1, 64), Length(1, 256)]
    [Description("Linear layers that are scaled, by the last part of their names (k_proj) or any longer suffix.")]
    public IList<string> Modules { get; init; } = [];

    [Items(0, 64), Length(1, 256)]
    [Description("Those of modules whose input is scaled (down_proj), not the output. Absent: none.")]
    public IList<string>? FeedForward { get; init; }
}
