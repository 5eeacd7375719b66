namespace Graft.Contract;

/// <summary>Every weight of the model trains.</summary>
public sealed record FullMethod;
