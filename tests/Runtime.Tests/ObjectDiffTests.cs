using System.Text.Json.Nodes;

namespace Graft.Runtime.Tests;

public sealed class ObjectDiffTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":1,"defaulted":2}""", null)]
    [InlineData("""{"a":1}""", """{"a":2}""", ".a is 2, not 1")]
    [InlineData("""{"a":{"b":"x"}}""", """{"a":{}}""", ".a.b is absent, not \"x\"")]
    [InlineData("""{"a":[{"n":1}]}""", """{"a":[{"n":1,"d":true}]}""", null)]
    [InlineData("""{"a":[1]}""", """{"a":[1,2]}""", ".a has 2 items, not 1")]
    [InlineData("""{"cpu":"0.5"}""", """{"cpu":"500m"}""", null)]
    [InlineData("""{"cpu":"0.5"}""", """{"cpu":"501m"}""", ".cpu is \"501m\", not \"0.5\"")]
    [InlineData("""{"empty":{}}""", """{}""", null)]
    [InlineData("""{"v":"","n":0,"b":false}""", """{}""", null)]
    [InlineData("""{"n":0}""", """{"n":1}""", ".n is 1, not 0")]
    [InlineData("""{"a":null}""", """{"a":1}""", null)]
    public void The_first_field_that_is_not_as_desired_is_named(string desired, string live, string? difference) =>
        Assert.Equal(difference, ObjectDiff.FirstMissing(JsonNode.Parse(desired), JsonNode.Parse(live)));

    [Theory]
    [InlineData("""{"a":1,"b":{"c":1,"d":2}}""", """{"a":1,"b":{"c":1,"d":3}}""", """{"b":{"d":3}}""")]
    [InlineData("""{"a":1,"b":2}""", """{"a":1}""", """{"b":null}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"a":1}""", """{"a":1}""", null)]
    [InlineData("""{"a":1.0}""", """{"a":1}""", null)]
    public void A_merge_patch_says_only_what_changes(string from, string to, string? patch) =>
        Assert.Equal(patch, ObjectDiff.MergePatch(JsonNode.Parse(from)!.AsObject(), JsonNode.Parse(to)!.AsObject())?.ToJsonString());
}
