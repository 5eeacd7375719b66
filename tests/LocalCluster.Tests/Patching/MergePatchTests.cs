using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Graft.LocalCluster.Patching;
using Graft.LocalCluster.Schema;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Patching;

public sealed class MergePatchTests
{
    // The table of RFC 7386, appendix A.
    [Theory]
    [InlineData("{'a':'b'}", "{'a':'c'}", "{'a':'c'}")]
    [InlineData("{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}")]
    [InlineData("{'a':'b'}", "{'a':null}", "{}")]
    [InlineData("{'a':'b','b':'c'}", "{'a':null}", "{'b':'c'}")]
    [InlineData("{'a':['b']}", "{'a':'c'}", "{'a':'c'}")]
    [InlineData("{'a':'c'}", "{'a':['b']}", "{'a':['b']}")]
    [InlineData("{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}")]
    [InlineData("{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}")]
    [InlineData("['a','b']", "['c','d']", "['c','d']")]
    [InlineData("{'a':'b'}", "['c']", "['c']")]
    [InlineData("{'a':'foo'}", "null", "null")]
    [InlineData("{'a':'foo'}", "'bar'", "'bar'")]
    [InlineData("{'e':null}", "{'a':1}", "{'e':null,'a':1}")]
    [InlineData("[1,2]", "{'a':'b','c':null}", "{'a':'b'}")]
    [InlineData("{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}")]
    public void Patches_merge_as_the_standard_says(string target, string patch, string expected) =>
        AssertJson(expected, MergePatch.Apply(Node(target), Node(patch)));

    [Property(MaxTest = 100)]
    public bool Applying_a_patch_twice_is_applying_it_once(int seed)
    {
        var random = new Random(seed);
        var (target, patch) = (RandomJson.Object(random, 3), RandomJson.Object(random, 3));
        var once = MergePatch.Apply(target, patch);
        return JsonEquality.Same(once, MergePatch.Apply(once, patch));
    }

    [Property(MaxTest = 100)]
    public bool Neither_target_nor_patch_changes(int seed)
    {
        var random = new Random(seed);
        var (target, patch) = (RandomJson.Object(random, 3), RandomJson.Object(random, 3));
        var (targetBefore, patchBefore) = (target.ToJsonString(), patch.ToJsonString());
        MergePatch.Apply(target, patch);
        return target.ToJsonString() == targetBefore && patch.ToJsonString() == patchBefore;
    }
}

/// <summary>Small random documents over few names, so that they overlap.</summary>
internal static class RandomJson
{
    public static JsonObject Object(Random random, int depth)
    {
        var result = new JsonObject();
        for (var i = random.Next(4); i > 0; i--)
        {
            result["abcd"[random.Next(4)].ToString()] = Value(random, depth - 1);
        }
        return result;
    }

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 0 ? 6 : 4) switch
    {
        0 => null,
        1 => random.Next(3),
        2 => "xyz"[random.Next(3)].ToString(),
        3 => random.Next(2) == 0,
        4 => new JsonArray(Enumerable.Range(0, random.Next(3)).Select(_ => Value(random, depth - 1)).ToArray()),
        _ => Object(random, depth),
    };
}
