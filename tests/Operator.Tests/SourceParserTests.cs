using Graft.Operator.Sources;

namespace Graft.Operator.Tests;

public class SourceParserTests
{
    private static readonly SourceOptions Local = new() { AllowFiles = true, FileRoot = "/samples/quickstart" };

    [Theory]
    [InlineData("pvc://models", "models", "")]
    [InlineData("pvc://models/", "models", "")]
    [InlineData("pvc://models/a/b.gguf", "models", "a/b.gguf")]
    [InlineData("pvc://my.claim-1/%2e%2e/x", "my.claim-1", "%2e%2e/x")]
    public void A_claim_and_a_path_in_it(string text, string claim, string path) =>
        Assert.Equal(new Source.Pvc(text, claim, path), SourceParser.Parse(text, SourceOptions.ClusterOnly).Source);

    [Theory]
    [InlineData("file:///data/train.jsonl", "/data/train.jsonl")]
    [InlineData("file://./train.jsonl", "/samples/quickstart/train.jsonl")]
    [InlineData("file://.", "/samples/quickstart")]
    public void A_file_of_this_machine(string text, string path) =>
        Assert.Equal(new Source.File(text, path), SourceParser.Parse(text, Local).Source);

    [Theory]
    [InlineData("pvc://models/../other")]
    [InlineData("pvc://models/a/../../x")]
    [InlineData("pvc://models/./x")]
    [InlineData("pvc://models//x")]
    [InlineData("pvc:///x")]
    [InlineData("pvc://Models/x")]
    [InlineData("pvc://../x")]
    [InlineData("pvc://models/a\\b")]
    [InlineData("pvc://models/a\nb")]
    [InlineData("pvc://models/a\0b")]
    [InlineData("file://../x")]
    [InlineData("file://./../x")]
    [InlineData("file:///a/../etc/passwd")]
    [InlineData("file://host/x")]
    [InlineData("/just/a/path")]
    [InlineData("")]
    [InlineData("://x")]
    public void A_path_that_could_lead_elsewhere_is_refused(string text)
    {
        var (source, error) = SourceParser.Parse(text, Local);
        Assert.Null(source);
        Assert.Equal("InvalidSpec", error!.Reason);
    }

    [Theory]
    [InlineData("hf://org/model@main", "hf")]
    [InlineData("s3://bucket/prefix", "s3")]
    [InlineData("oci://registry.example/models/tiny:v1", "oci")]
    public void What_a_pod_fetches_is_known_but_not_where_something_must_be_mounted(string text, string scheme)
    {
        Assert.Equal(text, Assert.IsType<Source.Remote>(SourceParser.Parse(text, SourceOptions.ClusterOnly).Source).Uri.Text);

        var (source, error) = SourceParser.ParseMounted(text, SourceOptions.ClusterOnly);
        Assert.Null(source);
        Assert.Equal("UnsupportedSource", error!.Reason);
        Assert.Contains($"{scheme}:// cannot be fetched here", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hf://org/model@main/../x", "'.' or '..'")]
    [InlineData("hf://datasets/org/rows", "only model repositories")]
    [InlineData("s3://Bucket/x", "a bucket's name has")]
    [InlineData("oci://host/repo", "add :TAG or @sha256:DIGEST")]
    [InlineData("hf://user:secret@host/x", "write hf://ORG/MODEL@REVISION")]
    public void A_source_that_is_written_wrongly_says_what_would_be_right(string text, string words)
    {
        var (source, error) = SourceParser.Parse(text, Local);
        Assert.Null(source);
        Assert.Equal("InvalidSpec", error!.Reason);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://host/x")]
    [InlineData("ftp://host/x")]
    [InlineData("file:///data/x")]
    public void What_cannot_be_fetched_says_what_can(string text)
    {
        var (source, error) = SourceParser.Parse(text, SourceOptions.ClusterOnly);
        Assert.Null(source);
        Assert.Equal("UnsupportedSource", error!.Reason);
        Assert.Contains("pvc://CLAIM/PATH", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_substitute_stands_for_a_source_whatever_it_is()
    {
        var options = new SourceOptions { Substitutes = new Dictionary<string, string> { ["hf://org/model@main"] = "/models/m.gguf" } };
        Assert.Equal(new Source.File("hf://org/model@main", "/models/m.gguf"), SourceParser.Parse("hf://org/model@main", options).Source);
    }

    [Fact]
    public void One_claim_that_is_read_and_written_is_one_volume_with_two_mounts()
    {
        var mounts = new PodMounts();
        Assert.Equal("/graft/claims/shared/a", mounts.Add(new Source.Pvc("", "shared", "a")));
        Assert.Equal("/graft/claims/shared/b", mounts.Add(new Source.Pvc("", "shared", "b")));
        mounts.AddClaim("shared", "/graft/output", readOnly: false);
        Assert.Single(mounts.Volumes);
        Assert.Equal([("/graft/claims/shared", true), ("/graft/output", false)], mounts.Mounts.Select(m => (m.MountPath,
            m.ReadOnlyProperty == true)));
    }

    [Fact]
    public void A_file_keeps_its_ending_in_the_pod_because_its_format_is_told_by_it()
    {
        var mounts = new PodMounts();
        Assert.Equal("/graft/files/0/train.csv", mounts.Add(new Source.File("", "/data/train.csv")));
        Assert.Equal("/graft/files/1/train.csv", mounts.Add(new Source.File("", "/more/train.csv")));
        Assert.Equal("/graft/files/0/train.csv", mounts.Add(new Source.File("", "/data/train.csv")));
    }

    [Theory]
    [InlineData("file://./data/nothing.jsonl", "/samples/quickstart/data/nothing.jsonl")]
    [InlineData("file:///nothing", "/nothing")]
    [InlineData("hf://someone/model", "/models/copy")]
    public void A_file_that_is_not_there_is_said_before_a_pod_waits_for_it(string text, string path)
    {
        var options = Local with { Exists = p => p != path, Substitutes = new Dictionary<string,
            string> { ["hf://someone/model"] = "/models/copy" } };

        var (source, error) = SourceParser.Parse(text, options);

        Assert.Null(source);
        Assert.Contains($"there is nothing at {path}", error!.Message, StringComparison.Ordinal);
    }
}
