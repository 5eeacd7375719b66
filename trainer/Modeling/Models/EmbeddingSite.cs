namespace Graft.Modeling.Models;

/// <summary>The table of token embeddings, where an adapter can be put.</summary>
/// <param name="Name">Its Hugging Face module name: <c>model.embed_tokens</c>.</param>
/// <param name="Table">(V, C).</param>
internal sealed record EmbeddingSite(string Name, WeightMatrix Table);
