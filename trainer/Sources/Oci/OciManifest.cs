using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Graft.Sources.Oci;

/// <summary>
/// An image manifest of the OCI image specification, as far as it is needed; an index where <see cref="Manifests"/> is set.
/// </summary>
internal sealed partial record OciManifest(string? MediaType, IReadOnlyList<OciDescriptor>? Layers, IReadOnlyList<OciDescriptor>? Manifests)
{
    public const int MaxBytes = 4 << 20;
    private const int MaxLayers = 1000;

    public static readonly string[] Accepted =
    [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    ];

    /// <exception cref="SourceException"><see cref="SourceFault.Unusable"/>.</exception>
    public static OciManifest Parse(byte[] json)
    {
        OciManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(json, OciJson.Default.OciManifest);
        }
        catch (JsonException e)
        {
            throw new SourceException(SourceFault.Unusable, "its manifest is no JSON that can be read", e);
        }
        var parts = (manifest?.Layers ?? []).Concat(manifest?.Manifests ?? []).ToList();
        if (manifest is null || parts.Count is 0 or > MaxLayers) throw new SourceException(
            SourceFault.Unusable, "its manifest names no layers");
        if (parts.Exists(p => p?.Digest is null || !Sha256().IsMatch(p.Digest) || p.Size is < 0))
            throw new SourceException(SourceFault.Unusable, "its manifest has a layer without a sha256 digest or a size");
        return manifest;
    }

    [GeneratedRegex("^sha256:[0-9a-f]{64}$")]
    private static partial Regex Sha256();
}

internal sealed record OciDescriptor(string? MediaType, string Digest, long Size, IReadOnlyDictionary<string, string>? Annotations)
{
    /// <summary>The file's name, as ORAS writes it; null for a layer that is an archive.</summary>
    public string? Title => IsTar ? null : Annotations?.GetValueOrDefault("org.opencontainers.image.title");

    public string Hex => Digest["sha256:".Length..];

    /// <summary>ORAS packs folders, KitOps and container images pack everything, as tar.</summary>
    public bool IsTar =>
        Annotations?.GetValueOrDefault("io.deis.oras.content.unpack") == "true"
            || (MediaType is { } type
                && (type.EndsWith(".tar", StringComparison.Ordinal) || type.EndsWith(".tar+gzip", StringComparison.Ordinal)
                || type.EndsWith(".tar.gzip", StringComparison.Ordinal)));

    /// <summary>What docker's builder says about an image, in an index beside it.</summary>
    public bool IsAttestation => Annotations?.GetValueOrDefault("vnd.docker.reference.type") == "attestation-manifest";

    public bool IsGzip => MediaType is { } type && type.EndsWith("gzip", StringComparison.Ordinal);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OciManifest))]
[JsonSerializable(typeof(OciToken))]
[JsonSerializable(typeof(DockerConfig))]
internal sealed partial class OciJson : JsonSerializerContext;

/// <summary>A token server's answer; registries use either name.</summary>
internal sealed record OciToken(string? Token, [property: JsonPropertyName("access_token")] string? AccessToken);

/// <summary><c>.dockerconfigjson</c>, as <c>kubectl create secret docker-registry</c> writes it.</summary>
internal sealed record DockerConfig(IReadOnlyDictionary<string, DockerLogin>? Auths);

/// <param name="Auth">Base64 of <c>username:password</c>.</param>
internal sealed record DockerLogin(string? Username, string? Password, string? Auth);
