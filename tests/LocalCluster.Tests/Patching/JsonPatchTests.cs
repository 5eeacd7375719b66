using System.Text.Json.Nodes;
using Graft.LocalCluster.Patching;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Patching;

public sealed class JsonPatchTests
{
    [Theory]
    [InlineData("{'a':1}", "[{'op':'add','path':'/b','value':2}]", "{'a':1,'b':2}")]
    [InlineData("{'a':1}", "[{'op':'add','path':'/a','value':2}]", "{'a':2}")]
    [InlineData("{'a':[1,3]}", "[{'op':'add','path':'/a/1','value':2}]", "{'a':[1,2,3]}")]
    [InlineData("{'a':[1]}", "[{'op':'add','path':'/a/-','value':2}]", "{'a':[1,2]}")]
    [InlineData("{'a':[1]}", "[{'op':'add','path':'/a/1','value':[2]}]", "{'a':[1,[2]]}")]
    [InlineData("{'a':1}", "[{'op':'add','path':'','value':{'z':0}}]", "{'z':0}")]
    [InlineData("{'a':1}", "[{'op':'add','path':'/b','value':null}]", "{'a':1,'b':null}")]
    [InlineData("{'a':1,'b':2}", "[{'op':'remove','path':'/b'}]", "{'a':1}")]
    [InlineData("{'a':[1,2,3]}", "[{'op':'remove','path':'/a/1'}]", "{'a':[1,3]}")]
    [InlineData("{'a':[1,2,3]}", "[{'op':'remove','path':'/a/-1'}]", "{'a':[1,2]}")]
    [InlineData("{'a':1}", "[{'op':'replace','path':'/a','value':{'b':1}}]", "{'a':{'b':1}}")]
    [InlineData("{'a':[1,2]}", "[{'op':'replace','path':'/a/0','value':9}]", "{'a':[9,2]}")]
    [InlineData("{'a':{'b':1},'c':{}}", "[{'op':'move','from':'/a/b','path':'/c/d'}]", "{'a':{},'c':{'d':1}}")]
    [InlineData("{'a':{'b':[1]}}", "[{'op':'copy','from':'/a/b','path':'/a/c'},{'op':'add','path':'/a/c/-','value':2}]", "{'a':{'b':[1],'c':[1,2]}}")]
    [InlineData("{'a':1}", "[{'op':'test','path':'/a','value':1.0},{'op':'replace','path':'/a','value':2}]", "{'a':2}")]
    [InlineData("{'a':{'x':1,'y':2}}", "[{'op':'test','path':'/a','value':{'y':2,'x':1}}]", "{'a':{'x':1,'y':2}}")]
    [InlineData("{'a':1}", "[{'op':'test','path':'/b','value':null}]", "{'a':1}")]
    [InlineData("{'a/b':1,'m~n':2}", "[{'op':'replace','path':'/a~1b','value':3},{'op':'remove','path':'/m~0n'}]", "{'a/b':3}")]
    [InlineData("{'metadata':{'finalizers':['x','y']}}", "[{'op':'test','path':'/metadata/finalizers/0','value':'x'},{'op':'remove','path':'/metadata/finalizers/0'}]", "{'metadata':{'finalizers':['y']}}")]
    public void Operations_apply_in_order(string target, string patch, string expected) =>
        AssertJson(expected, JsonPatch.Apply(Node(target)!, (JsonArray)Node(patch)!));

    [Theory]
    [InlineData("{'a':1}", "[{'op':'remove','path':'/b'}]", "Unable to remove nonexistent key: b")]
    [InlineData("{'a':1}", "[{'op':'replace','path':'/b','value':1}]", "replace operation does not apply: doc is missing key: /b: missing value")]
    [InlineData("{'a':1}", "[{'op':'add','path':'/b/c','value':1}]", "add operation does not apply: doc is missing path: /b/c: missing value")]
    [InlineData("{'a':1}", "[{'op':'test','path':'/a','value':2}]", "testing value /a failed: test failed")]
    [InlineData("{'a':1}", "[{'op':'test','path':'/a','value':null}]", "testing value /a failed: test failed")]
    [InlineData("{'a':1}", "[{'op':'bogus','path':'/a'}]", "Unexpected kind: bogus")]
    [InlineData("{'a':[1]}", "[{'op':'add','path':'/a/5','value':1}]", "Unable to access invalid index: 5: invalid index referenced")]
    [InlineData("{'a':[1]}", "[{'op':'remove','path':'/a/x'}]", "invalid syntax")]
    [InlineData("{'a':1}", "[{'op':'move','from':'/x/y','path':'/b'}]", "move operation does not apply: doc is missing from path: /x/y")]
    [InlineData("{'a':1}", "[{'op':'copy','from':'/x','path':'/b'}]", "doc is missing from path: /x")]
    [InlineData("{'a':1}", "[{'op':'add','path':'/b'}]", "missing value")]
    public void What_does_not_apply_is_refused_as_unprocessable(string target, string patch, string message)
    {
        var error = Assert.Throws<PatchException>(() => JsonPatch.Apply(Node(target)!, Node(patch)));
        Assert.Equal(422, error.Status);
        Assert.Contains(message, error.Message);
    }

    [Theory]
    [InlineData("{'op':'add'}")]
    [InlineData("[1]")]
    [InlineData("[{'op':'add','path':'a','value':1}]")]
    public void What_is_no_patch_is_a_bad_request(string patch) =>
        Assert.Equal(400, Assert.Throws<PatchException>(() => JsonPatch.Apply(new JsonObject(), Node(patch))).Status);

    [Fact]
    public void A_failed_patch_leaves_the_target_as_it_was()
    {
        var target = Object("{'a':1}");
        Assert.Throws<PatchException>(() => JsonPatch.Apply(target, Node("[{'op':'add','path':'/b','value':1},{'op':'remove','path':'/c'}]")));
        AssertJson("{'a':1}", target);
    }

    [Fact]
    public void More_than_ten_thousand_operations_are_too_many()
    {
        var operations = Enumerable.Range(0, 10_001).Select(_ => Node("{'op':'test','path':'/a','value':1}")).ToArray();
        var error = Assert.Throws<PatchException>(() => JsonPatch.Apply(Object("{'a':1}"), new JsonArray(operations)));
        Assert.Equal("The allowed maximum operations in a JSON patch is 10000, got 10001", error.Message);
    }
}
