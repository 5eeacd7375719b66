namespace Graft.Contract.Tests;

public class SourceUriTests
{
    [Theory]
    [InlineData("hf://org/model@main", "org/model", "main", "")]
    [InlineData("hf://org/model", "org/model", "main", "")]
    [InlineData("hf://gpt2@v1.0", "gpt2", "v1.0", "")]
    [InlineData("hf://org/model@refs/pr/7", "org/model", "refs/pr/7", "")]
    [InlineData("hf://org/model@0123456789abcdef0123456789abcdef01234567/a/b.gguf", "org/model",
        "0123456789abcdef0123456789abcdef01234567", "a/b.gguf")]
    [InlineData("hf://org/model/sub/", "org/model", "main", "sub")]
    public void A_repository_of_the_hub(string text, string repository, string revision, string path) =>
        Assert.Equal(new SourceUri.Hub(text, repository, revision, path), SourceUri.Parse(text).Uri);

    [Theory]
    [InlineData("s3://bucket", "bucket", "")]
    [InlineData("s3://my.bucket-1/a/b/", "my.bucket-1", "a/b")]
    [InlineData("s3://bucket/train.jsonl", "bucket", "train.jsonl")]
    public void A_bucket(string text, string bucket, string key) =>
        Assert.Equal(new SourceUri.S3(text, bucket, key), SourceUri.Parse(text).Uri);

    [Theory]
    [InlineData("oci://registry.example/team/tiny:v1", "registry.example", "team/tiny", "v1")]
    [InlineData("oci://localhost:5000/tiny:v1", "localhost:5000", "tiny", "v1")]
    [InlineData("oci://[fd00::1]:5000/tiny:v1", "[fd00::1]:5000", "tiny", "v1")]
    [InlineData("oci://r.example/tiny@sha256:1111111111111111111111111111111111111111111111111111111111111111", "r.example", "tiny",
        "sha256:1111111111111111111111111111111111111111111111111111111111111111")]
    [InlineData("oci://r.example/tiny:v1@sha256:1111111111111111111111111111111111111111111111111111111111111111", "r.example", "tiny",
        "sha256:1111111111111111111111111111111111111111111111111111111111111111")]
    public void An_artifact_in_a_registry(string text, string registry, string repository, string reference) =>
        Assert.Equal(new SourceUri.Oci(text, registry, repository, reference), SourceUri.Parse(text).Uri);

    [Theory]
    [InlineData("hf://")]
    [InlineData("hf://org/model@")]
    [InlineData("hf://org/model@a..b")]
    [InlineData("hf://org/model@-x")]
    [InlineData("hf://org/model@main/a@b")]
    [InlineData("hf://org/a--b@main")]
    [InlineData("hf://-org/model")]
    [InlineData("hf://org/model@main/../../x")]
    [InlineData("hf://org/model@main//x")]
    [InlineData("hf://org/model?x=1")]
    [InlineData("hf://user:secret@host/x")]
    [InlineData("hf://spaces/org/app")]
    [InlineData("s3://b/x")]
    [InlineData("s3://Bucket/x")]
    [InlineData("s3://key:secret@bucket/x")]
    [InlineData("s3://bucket/a/../b")]
    [InlineData("s3://bucket/a\nb")]
    [InlineData("oci://host/repo")]
    [InlineData("oci://host/Repo:1")]
    [InlineData("oci://host/repo@sha256:12")]
    [InlineData("oci://user@host/repo:1")]
    [InlineData("oci://host/../repo:1")]
    [InlineData("gs://bucket/x")]
    [InlineData("")]
    public void What_fits_no_grammar_is_refused_with_what_would_be_right(string text)
    {
        var (uri, problem) = SourceUri.Parse(text);
        Assert.Null(uri);
        Assert.False(string.IsNullOrEmpty(problem));
        Assert.DoesNotContain("secret", problem, StringComparison.Ordinal);
    }
}
