using System.Text.Json.Serialization;

namespace Graft.Sources.Hub;

/// <summary>What <c>GET /api/models/{id}/revision/{revision}</c> answers, as far as it is needed.</summary>
/// <param name="Sha">The commit that the revision means now.</param>
internal sealed record HubModel(string? Sha, IReadOnlyList<HubSibling?>? Siblings);

/// <param name="Rfilename">Path in the repository.</param>
internal sealed record HubSibling(string? Rfilename);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HubModel))]
internal sealed partial class HubJson : JsonSerializerContext;
