using Graft.LocalCluster.Schema;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Schema;

public sealed class ObjectMetadataTests
{
    [Theory]
    [InlineData("{'name':'a','namespace':'n'}", null)]
    [InlineData("{'name':'a.b-c.0','namespace':'n','labels':{'app.kubernetes.io/name':'X_1','a':''}}", null)]
    [InlineData("{'name':'a','namespace':'n','annotations':{'Example.com/Note':'any thing'}}", null)]
    [InlineData("{'name':'a','namespace':'n','finalizers':['foregroundDeletion','graft.dev/x']}", null)]
    [InlineData("{'generateName':'a-','name':'a-x','namespace':'n'}", null)]
    [InlineData("{'namespace':'n'}", "metadata.name: Required value: name or generateName is required")]
    [InlineData("{'name':'a'}", "metadata.namespace: Required value")]
    [InlineData("{'name':'My_Job','namespace':'n'}", "metadata.name: Invalid value: \"My_Job\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")]
    [InlineData("{'name':'a-','namespace':'n'}", "metadata.name: Invalid value: \"a-\": a lowercase RFC 1123 subdomain")]
    [InlineData("{'name':'a\\n','namespace':'n'}", "metadata.name: Invalid value: \"a\\n\": a lowercase RFC 1123 subdomain")]
    [InlineData("{'name':'a','namespace':'n','labels':{'a b':'x'}}", "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")]
    [InlineData("{'name':'a','namespace':'n','labels':{'/x':'x'}}", "metadata.labels: Invalid value: \"/x\": prefix part must be non-empty")]
    [InlineData("{'name':'a','namespace':'n','labels':{'a/b/c':'x'}}", "metadata.labels: Invalid value: \"a/b/c\": a qualified name must consist of")]
    [InlineData("{'name':'a','namespace':'n','labels':{'a':'-x'}}", "metadata.labels: Invalid value: \"-x\": a valid label must be an empty string or consist of alphanumeric characters")]
    [InlineData("{'name':'a','namespace':'n','finalizers':['mine']}", "metadata.finalizers: Invalid value: \"mine\": name is neither a standard finalizer name nor is it fully qualified")]
    [InlineData("{'name':'a','namespace':'n','ownerReferences':[{'apiVersion':'v1','kind':'Pod','name':'p'}]}", "metadata.ownerReferences.uid: Invalid value: \"\": uid must not be empty")]
    public void Metadata_is_checked(string metadata, string? expected)
    {
        var errors = ObjectMetadata.Validate(Object("{'metadata':" + metadata + "}"), namespaced: true, NameRule.Subdomain);
        if (expected is null)
        {
            Assert.Empty(errors);
        }
        else
        {
            Assert.StartsWith(expected, Assert.Single(errors).ToString());
        }
    }

    [Theory]
    [InlineData(nameof(NameRule.Subdomain), "a.b", true)]
    [InlineData(nameof(NameRule.Label), "a.b", false)]
    [InlineData(nameof(NameRule.Label), "0a", true)]
    [InlineData(nameof(NameRule.Label1035), "0a", false)]
    [InlineData(nameof(NameRule.Label1035), "a0", true)]
    [InlineData(nameof(NameRule.PathSegment), "system:Admin", true)]
    [InlineData(nameof(NameRule.PathSegment), "a/b", false)]
    [InlineData(nameof(NameRule.PathSegment), "..", false)]
    public void Kinds_have_their_own_rules_for_names(string rule, string name, bool isValid) =>
        Assert.Equal(isValid, ObjectMetadata.Validate(Object("{'metadata':{'name':'" + name + "','namespace':'n'}}"), true, Enum.Parse<NameRule>(rule)).Count == 0);

    [Fact]
    public void Names_have_a_longest_length()
    {
        var error = Assert.Single(ObjectMetadata.Validate(Object("{'metadata':{'name':'" + new string('a', 254) + "','namespace':'n'}}"), true, NameRule.Subdomain));
        Assert.EndsWith("must be no more than 253 bytes", error.ToString());
    }

    [Fact]
    public void Annotations_have_a_largest_size()
    {
        var value = Object("{'metadata':{'name':'a','namespace':'n','annotations':{'a':'" + new string('x', 262_144) + "'}}}");
        Assert.Equal("metadata.annotations: Too long: may not be more than 262144 bytes", Assert.Single(ObjectMetadata.Validate(value, true, NameRule.Subdomain)).ToString());
    }

    [Fact]
    public void A_cluster_wide_kind_has_no_namespace() =>
        Assert.Equal("metadata.namespace: Forbidden: not allowed on this type", Assert.Single(ObjectMetadata.Validate(Object("{'metadata':{'name':'a','namespace':'n'}}"), false, NameRule.Label)).ToString());

    [Fact]
    public void Only_one_owner_controls()
    {
        var value = Object("{'metadata':{'name':'a','namespace':'n','ownerReferences':[{'apiVersion':'v1','kind':'K','name':'p','uid':'1','controller':true},{'apiVersion':'v1','kind':'K','name':'q','uid':'2','controller':true}]}}");
        Assert.Contains("Only one reference can have Controller set to true. Found \"true\" in references for p and q", Assert.Single(ObjectMetadata.Validate(value, true, NameRule.Subdomain)).ToString());
    }

    [Theory]
    [InlineData("{'name':'b'}", "{'name':'a'}", "metadata.name: Invalid value: \"b\": field is immutable")]
    [InlineData("{'name':'a','uid':'2'}", "{'name':'a','uid':'1'}", "metadata.uid: Invalid value: \"2\": field is immutable")]
    [InlineData("{'deletionTimestamp':'t','finalizers':['a/b','c/d']}", "{'deletionTimestamp':'t','finalizers':['a/b']}", "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"c/d\"}")]
    [InlineData("{'deletionTimestamp':'t'}", "{'deletionTimestamp':'t','finalizers':['a/b']}", null)]
    [InlineData("{'finalizers':['a/b']}", "{}", null)]
    public void Some_metadata_may_not_change(string now, string old, string? expected)
    {
        var errors = ObjectMetadata.ValidateUpdate(Object("{'metadata':" + now + "}"), Object("{'metadata':" + old + "}"));
        Assert.Equal(expected is null ? [] : [expected], errors.Select(e => e.ToString()));
    }
}
