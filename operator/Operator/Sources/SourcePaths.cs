using Graft.Operator.Api;

namespace Graft.Operator.Sources;

/// <summary>Turns sources into paths of one pod, with the volumes that this needs, and gathers what cannot be turned.</summary>
internal sealed class SourcePaths(PodMounts mounts, SourceOptions options, List<FieldError> errors)
{
    /// <param name="field">Of the record that has the source, as <c>spec.model</c>.</param>
    public SourcePath OfModel(string field, string text, SecretRef? credentials, CacheSpec? cache)
    {
        var (source, error) = SourceParser.Parse(text, options);
        if (error is not null) errors.Add(new($"{field}.source", error.Message, error.Reason));
        if (cache is { Pvc: null }) errors.Add(new($"{field}.cache", "set exactly one of: pvc"));
        if (source is Source.Pvc && cache is not null)
            errors.Add(new($"{field}.cache", $"leave it out: '{text}' is mounted, nothing is fetched"));
        return Of(field, source, credentials, cache);
    }

    public SourcePath OfFile(string field, string text, SecretRef? credentials)
    {
        var (source, error) = SourceParser.Parse(text, options);
        if (error is not null) errors.Add(new($"{field}.source", error.Message, error.Reason));
        var example = source switch
        {
            Source.Pvc { Path: "" } => "a whole claim; name one file in it, as pvc://CLAIM/train.jsonl",
            Source.Remote { Uri: Contract.SourceUri.S3 { Key: "" } } => "a whole bucket; name one object in it, as s3://BUCKET/train.jsonl",
            Source.Remote { Uri: Contract.SourceUri.Hub { Path: "" } } =>
                "a whole repository; name one file in it, as hf://ORG/MODEL@REVISION/train.jsonl",
            _ => null,
        };
        if (example is not null) errors.Add(new($"{field}.source", $"'{text}' is {example}"));
        return example is null ? Of(field, source, credentials, null) : new("", null);
    }

    // A substitute of this machine needs neither credentials nor a cache, and is no reason to change the manifest.
    private SourcePath Of(string field, Source? source, SecretRef? credentials, CacheSpec? cache)
    {
        switch (source)
        {
            case Source.Remote:
                mounts.AddCache(cache?.Pvc?.ClaimName, options.Fetch.CacheFolder);
                return new("", credentials is null ? null : mounts.AddCredentials(credentials.Name));
            case Source.Pvc when credentials is not null:
                errors.Add(new($"{field}.credentialsRef", $"leave it out: '{source.Text}' is mounted, nothing is fetched"));
                return new("", null);
            case null:
                return new("", null);
            default:
                return new(mounts.Add(source), null);
        }
    }
}

/// <summary>Where a source is in a pod.</summary>
/// <param name="Path">Empty: the pod fetches it.</param>
/// <param name="Credentials">Folder with the files to fetch it with.</param>
internal sealed record SourcePath(string Path, string? Credentials);
