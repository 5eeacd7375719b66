namespace Graft.Modeling.Adapters;

/// <summary>What a LoRA's folder says beyond the options that a job has.</summary>
/// <param name="Rule">Without <see cref="LoraTargetRule.Saved"/>.</param>
internal sealed record PeftLoraFields(LoraTargetRule Rule);
