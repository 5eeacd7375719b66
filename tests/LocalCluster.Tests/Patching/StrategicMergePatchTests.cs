using Graft.LocalCluster.Patching;
using Graft.LocalCluster.Schema;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Patching;

public sealed class StrategicMergePatchTests
{
    private static readonly TypeSchema Text = new() { Type = "string" };

    private static readonly TypeSchema Container = new()
    {
        Type = "object",
        Properties = new Dictionary<string, TypeSchema>
        {
            ["name"] = Text,
            ["image"] = Text,
            ["env"] = new()
            {
                Type = "array",
                PatchMergeKey = "name",
                PatchStrategies = ["merge"],
                Items = new() { Type = "object", Properties = new Dictionary<string, TypeSchema> { ["name"] = Text, ["value"] = Text } },
            },
            ["args"] = new() { Type = "array", Items = Text },
        },
    };

    private static readonly TypeSchema Kind = new()
    {
        Type = "object",
        Properties = new Dictionary<string, TypeSchema>
        {
            ["containers"] = new() { Type = "array", PatchMergeKey = "name", PatchStrategies = ["merge"], Items = Container },
            ["args"] = new() { Type = "array", Items = Text },
            ["tags"] = new() { Type = "array", Items = Text, PatchStrategies = ["merge"] },
            ["labels"] = new() { Type = "object", AdditionalProperties = Text },
            ["strategy"] = new() { Type = "object", PatchStrategies = ["retainKeys"] },
            ["selector"] = new() { Type = "object", PatchStrategies = ["replace"] },
        },
    };

    [Theory]
    [InlineData("scalars are replaced", "{'a':1}", "{'a':2}", "{'a':2}")]
    [InlineData("null removes", "{'a':1,'b':2}", "{'a':null}", "{'b':2}")]
    [InlineData("maps merge", "{'labels':{'x':'1','y':'2'}}", "{'labels':{'y':'3','z':'4'}}", "{'labels':{'x':'1','y':'3','z':'4'}}")]
    [InlineData("null in a map removes", "{'labels':{'x':'1','y':'2'}}", "{'labels':{'y':null}}", "{'labels':{'x':'1'}}")]
    [InlineData("a new map comes without its nulls", "{}", "{'labels':{'x':'1','y':null}}", "{'labels':{'x':'1'}}")]
    [InlineData("a list without a strategy is replaced", "{'args':['a','b']}", "{'args':['c']}", "{'args':['c']}")]
    [InlineData("a list of scalars with merge is a set", "{'tags':['a','b']}", "{'tags':['b','c']}", "{'tags':['a','b','c']}")]
    [InlineData("scalars are deleted by the directive", "{'tags':['a','b','c']}", "{'$deleteFromPrimitiveList/tags':['b']}", "{'tags':['a','c']}")]
    [InlineData("items merge by key", "{'containers':[{'name':'a','image':'1'},{'name':'b','image':'2'}]}", "{'containers':[{'name':'b','image':'3'}]}", "{'containers':[{'name':'a','image':'1'},{'name':'b','image':'3'}]}")]
    [InlineData("a new item goes first", "{'containers':[{'name':'a'}]}", "{'containers':[{'name':'b','image':'2'}]}", "{'containers':[{'name':'b','image':'2'},{'name':'a'}]}")]
    [InlineData("lists merge into an absent list", "{}", "{'containers':[{'name':'b'}]}", "{'containers':[{'name':'b'}]}")]
    [InlineData("items are deleted by the directive", "{'containers':[{'name':'a'},{'name':'b'}]}", "{'containers':[{'$patch':'delete','name':'a'}]}", "{'containers':[{'name':'b'}]}")]
    [InlineData("deleting an absent item is no change", "{'containers':[{'name':'b'}]}", "{'containers':[{'$patch':'delete','name':'a'}]}", "{'containers':[{'name':'b'}]}")]
    [InlineData("a list is replaced by the directive", "{'containers':[{'name':'a'},{'name':'b'}]}", "{'containers':[{'$patch':'replace'},{'name':'c'}]}", "{'containers':[{'name':'c'}]}")]
    [InlineData("nested lists merge too", "{'containers':[{'name':'a','env':[{'name':'X','value':'1'}]}]}", "{'containers':[{'name':'a','env':[{'name':'Y','value':'2'}]}]}", "{'containers':[{'name':'a','env':[{'name':'Y','value':'2'},{'name':'X','value':'1'}]}]}")]
    [InlineData("null removes a member of an item", "{'containers':[{'name':'a','image':'1'}]}", "{'containers':[{'name':'a','image':null}]}", "{'containers':[{'name':'a'}]}")]
    [InlineData("a map is replaced by the directive", "{'labels':{'x':'1'}}", "{'labels':{'$patch':'replace','y':'2'}}", "{'labels':{'y':'2'}}")]
    [InlineData("a map is emptied by the directive", "{'labels':{'x':'1'}}", "{'labels':{'$patch':'delete'}}", "{'labels':{}}")]
    [InlineData("the directive merge is the default", "{'labels':{'x':'1'}}", "{'labels':{'$patch':'merge','y':'2'}}", "{'labels':{'x':'1','y':'2'}}")]
    [InlineData("a map with the strategy replace is replaced", "{'selector':{'x':'1'}}", "{'selector':{'y':'2'}}", "{'selector':{'y':'2'}}")]
    [InlineData("retainKeys clears the others", "{'strategy':{'type':'Rolling','rolling':{'n':1}}}", "{'strategy':{'$retainKeys':['type'],'type':'Recreate'}}", "{'strategy':{'type':'Recreate'}}")]
    [InlineData("order is set by the directive", "{'containers':[{'name':'a'},{'name':'b'}]}", "{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}],'containers':[{'name':'b','image':'1'}]}", "{'containers':[{'name':'b','image':'1'},{'name':'a'}]}")]
    [InlineData("order alone reorders", "{'containers':[{'name':'a'},{'name':'b'},{'name':'c'}]}", "{'$setElementOrder/containers':[{'name':'c'},{'name':'a'}]}", "{'containers':[{'name':'b'},{'name':'c'},{'name':'a'}]}")]
    [InlineData("order of scalars", "{'tags':['a','b']}", "{'$setElementOrder/tags':['c','b','a'],'tags':['c']}", "{'tags':['c','b','a']}")]
    [InlineData("a new item takes its place in the order", "{'containers':[{'name':'a'},{'name':'b'}]}", "{'$setElementOrder/containers':[{'name':'n'},{'name':'a'},{'name':'b'}],'containers':[{'name':'n'}]}", "{'containers':[{'name':'n'},{'name':'a'},{'name':'b'}]}")]
    [InlineData("finalizers merge as a set", "{'metadata':{'finalizers':['a/b']}}", "{'metadata':{'finalizers':['c/d']}}", "{'metadata':{'finalizers':['c/d','a/b']}}")]
    [InlineData("owners merge by uid", "{'metadata':{'ownerReferences':[{'uid':'1','name':'x'}]}}", "{'metadata':{'ownerReferences':[{'uid':'1','name':'y'},{'uid':'2'}]}}", "{'metadata':{'ownerReferences':[{'uid':'1','name':'y'},{'uid':'2'}]}}")]
    [InlineData("unknown members merge as maps", "{'z':{'a':1}}", "{'z':{'b':2}}", "{'z':{'a':1,'b':2}}")]
    [InlineData("a change of type replaces", "{'labels':{'x':'1'}}", "{'labels':'none'}", "{'labels':'none'}")]
    public void Patches_merge_by_schema(string rule, string target, string patch, string expected)
    {
        Assert.NotEmpty(rule);
        AssertJson(expected, StrategicMergePatch.Apply(Object(target), Object(patch), Kind));
    }

    [Theory]
    [InlineData("{'labels':{'$patch':'explode'}}", "unknown patch type: \"explode\" in map")]
    [InlineData("{'containers':[{'image':'1'}]}", "map: {\"image\":\"1\"} does not contain declared merge key: name")]
    [InlineData("{'containers':['x']}", "cannot merge \"x\" into a list of objects")]
    [InlineData("{'strategy':{'$retainKeys':['type'],'rolling':{}}}", "invalid patch format of retainKeys list")]
    [InlineData("{'$deleteFromPrimitiveList/tags':'x'}", "invalid patch format of primitive list")]
    [InlineData("{'$setElementOrder/containers':[{'name':'a'}],'containers':[{'name':'b'}]}", "doesn't match $setElementOrder list")]
    public void A_patch_that_contradicts_itself_is_refused(string patch, string message)
    {
        var error = Assert.Throws<PatchException>(() => StrategicMergePatch.Apply(
            Object("{'labels':{'x':'1'},'containers':[],'strategy':{},'tags':[]}"), Object(patch), Kind));
        Assert.Equal(422, error.Status);
        Assert.Contains(message, error.Message);
    }
}
