using System.Text.Json.Nodes;
using Graft.LocalCluster.Apply;
using Graft.LocalCluster.Patching;
using Graft.LocalCluster.Schema;
using static Graft.LocalCluster.Tests.Apply.ApplyMake;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Apply;

public sealed class ServerSideApplyTests
{
    [Theory]
    [InlineData("{'a':1}", "one: .a")]
    [InlineData("{'b':{'c':1}}", "one: .b.c")]
    [InlineData("{'labels':{'k':'v'}}", "one: .labels.k")]
    [InlineData("{'set':['p']}", "one: .set[=\"p\"]")]
    [InlineData("{'list':[1]}", "one: .list")]
    [InlineData("{'atom':{'a':1}}", "one: .atom")]
    [InlineData("{'map':[{'n':'k','v':1}]}", "one: .map[n=\"k\",p=\"TCP\"] .map[n=\"k\",p=\"TCP\"].n .map[n=\"k\",p=\"TCP\"].v")]
    public void The_applier_owns_what_it_applies(string config, string owners)
    {
        var value = ApplyAs(null, "one", config);
        Assert.Equal(owners, Owners(value));
        AssertJson(config, value["spec"]!["x"]);
    }

    [Theory]
    [InlineData("{'a':1,'b':{'c':2}}")]
    [InlineData("{'set':['q','p'],'labels':{'k':'v','l':''}}")]
    [InlineData("{'map':[{'n':'z','v':1},{'n':'a','p':'UDP'}],'list':[3,2],'atom':{'b':1}}")]
    public void Applying_again_changes_nothing(string config)
    {
        var once = ApplyAs(null, "one", config);
        Assert.Equal(once.ToJsonString(), ApplyAs(once, "one", config, second: 60).ToJsonString());
    }

    [Theory]
    [InlineData("a field", "{'a':1,'b':{'c':2}}", "{'b':{'c':2}}", "{'b':{'c':2}}")]
    [InlineData("a key of a map", "{'labels':{'k':'1','l':'2'}}", "{'labels':{'l':'2'}}", "{'labels':{'l':'2'}}")]
    [InlineData("a whole map", "{'a':1,'labels':{'k':'1'}}", "{'a':1}", "{'a':1}")]
    [InlineData("an item of a set", "{'set':['p','q']}", "{'set':['q']}", "{'set':['q']}")]
    [InlineData("an item of a map list", "{'map':[{'n':'k','v':1},{'n':'l','v':2}]}", "{'map':[{'n':'l','v':2}]}", "{'map':[{'n':'l','v':2}]}")]
    [InlineData("a field of an item", "{'map':[{'n':'k','v':1,'w':2}]}", "{'map':[{'n':'k','w':2}]}", "{'map':[{'n':'k','w':2}]}")]
    [InlineData("an atomic list", "{'a':1,'list':[1]}", "{'a':1}", "{'a':1}")]
    [InlineData("a member of an atomic map", "{'atom':{'a':1,'b':2}}", "{'atom':{'a':1}}", "{'atom':{'a':1}}")]
    public void What_is_no_longer_applied_goes(string what, string first, string second, string expected)
    {
        Assert.NotEmpty(what);
        var value = ApplyAs(ApplyAs(null, "one", first), "one", second, second: 1);
        AssertJson(expected, value["spec"]!["x"]);
    }

    [Fact]
    public void Another_value_of_an_owned_field_is_a_conflict()
    {
        var live = ApplyAs(null, "one", "{'a':1,'b':{'c':1}}");
        var error = Assert.Throws<FieldConflictException>(() => ApplyAs(live, "two", "{'a':2}"));
        Assert.Equal("Apply failed with 1 conflict: conflict with \"one\": .spec.x.a", error.Message);
        Assert.Equal([new FieldConflict("\"one\"", ".spec.x.a")], error.Conflicts);
        Assert.Equal("conflict with \"one\"", error.Conflicts[0].CauseMessage);
    }

    [Fact]
    public void Several_conflicts_are_listed_by_manager()
    {
        var live = UpdateAs(ApplyAs(null, "one", "{'a':1}"), "kubectl-edit", "{'a':1,'b':{'c':1},'list':[1]}", 1);
        var error = Assert.Throws<FieldConflictException>(() => ApplyAs(live, "two", "{'a':2,'b':{'c':2},'list':[2]}"));
        Assert.Equal(
            "Apply failed with 3 conflicts: conflicts with \"kubectl-edit\" using g/v1:\n- .spec.x.list\n- .spec.x.b.c\nconflicts with \"one\":\n- .spec.x.a",
            error.Message);
    }

    [Fact]
    public void Force_takes_the_field_over()
    {
        var value = ApplyAs(ApplyAs(null, "one", "{'a':1,'b':{'c':1}}"), "two", "{'a':2}", force: true, second: 1);
        AssertJson("{'a':2,'b':{'c':1}}", value["spec"]!["x"]);
        Assert.Equal("one: .b.c; two: .a", Owners(value));
    }

    [Fact]
    public void The_same_value_is_owned_together_and_stays_until_the_last_owner_goes()
    {
        var shared = ApplyAs(ApplyAs(null, "one", "{'a':1,'b':{'c':1}}"), "two", "{'a':1}", second: 1);
        Assert.Equal("two: .a; one: .a .b.c", Owners(shared));
        var left = ApplyAs(shared, "one", "{'b':{'c':1}}", second: 2);
        AssertJson("{'a':1,'b':{'c':1}}", left["spec"]!["x"]);
        var gone = ApplyAs(left, "two", "{}", second: 3);
        AssertJson("{'b':{'c':1}}", gone["spec"]!["x"]);
    }

    [Fact]
    public void What_an_updater_set_stays_when_the_applier_drops_it()
    {
        var live = UpdateAs(ApplyAs(null, "one", "{'a':1}"), "controller", "{'a':1,'labels':{'seen':'yes'}}", 1);
        var value = ApplyAs(live, "one", "{'labels':{'mine':'1'}}", second: 2);
        AssertJson("{'labels':{'seen':'yes','mine':'1'}}", value["spec"]!["x"]);
        var dropped = ApplyAs(value, "one", "{}", second: 3);
        AssertJson("{'labels':{'seen':'yes'}}", dropped["spec"]!["x"]);
    }

    [Fact]
    public void An_item_that_others_fill_stays_when_its_applier_drops_it()
    {
        var live = ApplyAs(ApplyAs(null, "one", "{'map':[{'n':'k','v':1}]}"), "two", "{'map':[{'n':'k','w':2}]}", second: 1);
        AssertJson("{'map':[{'n':'k','v':1,'w':2}]}", live["spec"]!["x"]);
        var value = ApplyAs(live, "one", "{'map':[]}", second: 2);
        AssertJson("{'map':[{'n':'k','w':2}]}", value["spec"]!["x"]);
    }

    [Theory]
    [InlineData("live items keep their place", "['a','b']", "['b','x']", "['a','b','x']")]
    [InlineData("the applied order wins among the applied", "['a','b']", "['b','a']", "['b','a']")]
    [InlineData("new items stand where they are applied", "['a','b']", "['x','a']", "['x','a','b']")]
    [InlineData("an empty list adds nothing", "['a']", "[]", "['a']")]
    public void Sets_merge_in_order(string rule, string live, string applied, string expected)
    {
        Assert.NotEmpty(rule);
        var value = ApplyAs(UpdateAs(null, "other", "{'set':" + live + "}"), "one", "{'set':" + applied + "}");
        AssertJson("{'set':" + expected + "}", value["spec"]!["x"]);
    }

    [Fact]
    public void Atomic_lists_are_replaced_with_force_and_conflict_without()
    {
        var live = ApplyAs(null, "one", "{'list':[1,2]}");
        Assert.Throws<FieldConflictException>(() => ApplyAs(live, "two", "{'list':[1,3]}"));
        AssertJson("{'list':[1,3]}", ApplyAs(live, "two", "{'list':[1,3]}", force: true)["spec"]!["x"]);
    }

    [Fact]
    public void Objects_that_were_never_tracked_belong_to_before_first_apply()
    {
        var live = Config("{'a':1,'b':{'c':1}}");
        var error = Assert.Throws<FieldConflictException>(() => ApplyAs(live, "one", "{'a':2}"));
        Assert.Equal("\"before-first-apply\" using g/v1", error.Conflicts[0].Manager);
        var value = ApplyAs(live, "one", "{'a':1}");
        Assert.StartsWith("one: .a; before-first-apply*:", Owners(value));
    }

    [Fact]
    public void Kubectl_takes_over_what_it_applied_client_side()
    {
        var live = Config("{'a':1}");
        live["metadata"]!["annotations"] = new JsonObject { [LastApplied.Annotation] = GoText.Json(Config("{'a':1}")) };
        live = ManagedFields.Update(null, live, new FieldWriter("kubectl-client-side-apply", "g/v1", "", Start), ApplyMake.Schema);
        var value = ApplyAs(live, "kubectl", "{'a':2}", second: 1);
        AssertJson("{'a':2}", value["spec"]!["x"]);
        Assert.Contains("\"a\":2", value["metadata"]!["annotations"]![LastApplied.Annotation]!.GetValue<string>());
        Assert.Throws<FieldConflictException>(() => ApplyAs(live, "someone", "{'a':2}"));
    }

    [Fact]
    public void Kubectl_does_not_take_over_what_changed_since()
    {
        var live = Config("{'a':1}");
        live["metadata"]!["annotations"] = new JsonObject { [LastApplied.Annotation] = GoText.Json(Config("{'a':1}")) };
        live = ManagedFields.Update(null, live, new FieldWriter("kubectl-client-side-apply", "g/v1", "", Start), ApplyMake.Schema);
        var edited = (JsonObject)live.DeepClone();
        edited["spec"]!["x"]!["a"] = 5;
        live = ManagedFields.Update(live, edited, new FieldWriter("editor", "g/v1", "", Start.AddSeconds(1)), ApplyMake.Schema);
        Assert.Equal("\"editor\" using g/v1", Assert.Throws<FieldConflictException>(() => ApplyAs(live, "kubectl", "{'a':2}")).Conflicts[0].Manager);
    }

    [Fact]
    public void Fields_that_the_endpoint_does_not_write_are_neither_merged_nor_owned()
    {
        var writer = new FieldWriter("one", "g/v1", "", Start) { ResetFields = ["status"] };
        var config = Config("{'a':1}");
        config["status"] = new JsonObject { ["phase"] = "Done" };
        var value = ManagedFields.Apply(null, config, writer, false, ApplyMake.Schema);
        Assert.Null(value["status"]);
        Assert.Equal("one: .a", Owners(value));
    }

    [Fact]
    public void The_status_subresource_has_managers_of_its_own()
    {
        var live = ApplyAs(null, "one", "{'a':1}");
        var config = Object("{'apiVersion':'g/v1','kind':'K','metadata':{'name':'o'},'status':{'phase':'Done'}}");
        var writer = new FieldWriter("one", "g/v1", "status", Start.AddSeconds(1)) { ResetFields = ["spec"] };
        var value = ManagedFields.Apply(live, config, writer, false, ApplyMake.Schema);
        AssertJson("{'a':1}", value["spec"]!["x"]);
        Assert.Equal(["", "status"], ManagerEntry.ReadAll(value).Select(m => m.Subresource));
        var other = writer with { Manager = "two" };
        config["status"]!["phase"] = "Broken";
        var error = Assert.Throws<FieldConflictException>(() => ManagedFields.Apply(value, config, other, false, ApplyMake.Schema));
        Assert.Equal("\"one\" with subresource \"status\"", error.Conflicts[0].Manager);
    }

    [Theory]
    [InlineData("{'apiVersion':'g/v1','metadata':{'name':'o','managedFields':[]}}", "metadata.managedFields must be nil")]
    [InlineData("{'apiVersion':'g/v2','metadata':{'name':'o'}}", "Incorrect version specified in apply patch. Specified patch version: g/v2, expected: g/v1")]
    [InlineData("{'apiVersion':'g/v1','spec':{'x':{'map':[{'v':1}]}}}", "failed to create typed patch object: element 0: associative list with keys has an element that omits key field \"n\" (and doesn't have default value)")]
    [InlineData("{'apiVersion':'g/v1','spec':{'x':{'set':[{}]}}}", "failed to create typed patch object: element 0: associative list without keys has an element that is no scalar")]
    [InlineData("{'apiVersion':'g/v1','spec':{'x':{'map':[{'n':'a'},{'n':'a'}]}}}", "duplicate entries for key [n=\"a\",p=\"TCP\"]")]
    public void A_configuration_that_cannot_be_applied_is_a_bad_request(string config, string message)
    {
        var error = Assert.Throws<PatchException>(() => ManagedFields.Apply(null, Object(config), new FieldWriter("one", "g/v1", "", Start), false, ApplyMake.Schema));
        Assert.Equal(400, error.Status);
        Assert.Contains(message, error.Message);
    }
}
