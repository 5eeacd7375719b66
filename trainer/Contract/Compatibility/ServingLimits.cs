namespace Graft.Contract;

/// <summary>
/// What one running engine was started with, as far as it decides about an adapter. Null: not known, or the engine's default.
/// </summary>
/// <param name="MaxLoraRank">vLLM's and SGLang's <c>--max-lora-rank</c>.</param>
/// <param name="Targets">SGLang's <c>--lora-target-modules</c>.</param>
/// <param name="ModelType">The base model's <c>model_type</c>.</param>
/// <param name="BaseDigest">Digest of the base model's weights.</param>
/// <param name="MaxPositions">Longest sequence of the base model in tokens.</param>
/// <param name="MaxBytes">Bytes that an adapter's files may have.</param>
public sealed record ServingLimits(
    ServingEngine Engine,
    int? MaxLoraRank = null,
    IReadOnlyList<string>? Targets = null,
    string? ModelType = null,
    string? BaseDigest = null,
    int? MaxPositions = null,
    long? MaxBytes = null);
