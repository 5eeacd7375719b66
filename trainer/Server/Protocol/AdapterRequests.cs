namespace Graft.Server.Protocol;

/// <summary>Body of <c>/v1/load_lora_adapter</c>.</summary>
internal sealed record LoadAdapterRequest
{
    public string? LoraName { get; init; }
    public string? LoraPath { get; init; }
    public bool? LoadInplace { get; init; }
}

/// <summary>Body of <c>/v1/unload_lora_adapter</c>.</summary>
internal sealed record UnloadAdapterRequest
{
    public string? LoraName { get; init; }
}
