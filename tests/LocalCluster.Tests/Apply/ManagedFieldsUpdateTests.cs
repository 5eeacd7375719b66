using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Graft.LocalCluster.Apply;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Tests.Patching;
using static Graft.LocalCluster.Tests.Apply.ApplyMake;
using static Graft.LocalCluster.Tests.Schema.SchemaMake;

namespace Graft.LocalCluster.Tests.Apply;

public sealed class ManagedFieldsUpdateTests
{
    [Fact]
    public void The_creator_owns_everything_but_identity()
    {
        var value = Object("{'apiVersion':'g/v1','kind':'K','metadata':{'name':'o','namespace':'n','uid':'u','resourceVersion':'1','creationTimestamp':'t','generation':1,'labels':{'k':'v'}},'spec':{'x':{'a':1}}}");
        var stored = ManagedFields.Update(null, value, new FieldWriter("kubectl-create", "g/v1", "", Start), ApplyMake.Schema);
        AssertJson(
            """
            [{'apiVersion':'g/v1','fieldsType':'FieldsV1','manager':'kubectl-create','operation':'Update','time':'2026-01-02T03:04:05Z',
              'fieldsV1':{'f:metadata':{'f:labels':{'.':{},'f:k':{}}},'f:spec':{'.':{},'f:x':{'.':{},'f:a':{}}}}}]
            """,
            stored["metadata"]!["managedFields"]);
    }

    [Fact]
    public void A_change_moves_the_field_to_who_changed_it()
    {
        var value = UpdateAs(UpdateAs(null, "one", "{'a':1,'b':{'c':1}}"), "two", "{'a':2,'b':{'c':1}}", 1);
        Assert.Equal("one*: .spec  .b .b.c; two*: .a", Owners(value));
    }

    [Fact]
    public void An_update_without_a_change_leaves_the_entries_and_their_time()
    {
        var live = UpdateAs(null, "one", "{'a':1}");
        Assert.Equal(live.ToJsonString(), UpdateAs(live, "two", "{'a':1}", 5).ToJsonString());
    }

    [Fact]
    public void The_same_manager_keeps_one_entry_with_the_time_of_the_last_change()
    {
        var value = UpdateAs(UpdateAs(null, "one", "{'a':1}"), "one", "{'a':1,'b':{'c':1}}", 7);
        var entry = Assert.Single(ManagerEntry.ReadAll(value));
        Assert.Equal(Start.AddSeconds(7), entry.Time);
        Assert.True(entry.Fields.Has("f:spec", "f:x", "f:a"));
    }

    [Fact]
    public void Removed_fields_have_no_owner()
    {
        var value = UpdateAs(UpdateAs(null, "one", "{'a':1,'b':{'c':1}}"), "two", "{'a':1}", 1);
        Assert.Equal("one*: .spec  .a", Owners(value));
    }

    [Fact]
    public void Updates_take_fields_from_appliers_without_asking()
    {
        var value = UpdateAs(ApplyAs(null, "one", "{'a':1,'labels':{'k':'v'}}"), "two", "{'a':2,'labels':{'k':'v'}}", 1);
        Assert.Equal("one: .labels.k; two*: .a", Owners(value));
    }

    [Fact]
    public void Versions_of_one_updater_are_separate_entries()
    {
        var live = UpdateAs(null, "one", "{'a':1}");
        var changed = Config("{'a':2}");
        changed["apiVersion"] = "g/v2";
        var value = ManagedFields.Update(live, changed, new FieldWriter("one", "g/v2", "", Start.AddSeconds(1)), ApplyMake.Schema);
        Assert.Equal(["g/v1", "g/v2"], ManagerEntry.ReadAll(value).Select(m => m.ApiVersion));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[{}]")]
    public void An_empty_list_forgets_all_managers(string list)
    {
        var value = (JsonObject)UpdateAs(null, "one", "{'a':1}").DeepClone();
        var request = (JsonObject)value.DeepClone();
        request["metadata"]!["managedFields"] = Node(list);
        var stored = ManagedFields.Update(value, request, new FieldWriter("two", "g/v1", "", Start), ApplyMake.Schema);
        Assert.False(((JsonObject)stored["metadata"]!).ContainsKey("managedFields"));
    }

    [Fact]
    public void Clients_that_drop_the_list_do_not_lose_it()
    {
        var live = UpdateAs(null, "one", "{'a':1}");
        Assert.NotNull(UpdateAs(live, "two", "{'a':2}")["metadata"]!["managedFields"]);
    }

    [Fact]
    public void Untracked_objects_stay_untracked_on_update() =>
        Assert.Equal("", Owners(UpdateAs(Config("{'a':1}"), "two", "{'a':2}")));

    [Fact]
    public void The_eleventh_updater_joins_the_oldest_two()
    {
        JsonObject? live = null;
        for (var i = 0; i < 12; i++)
        {
            var labels = string.Join(',', Enumerable.Range(0, i + 1).Select(k => $"'k{k}':'v'"));
            live = UpdateAs(live, $"m{i:00}", "{'labels':{" + labels + "}}", i);
        }
        var entries = ManagerEntry.ReadAll(live);
        Assert.Equal(10, entries.Count);
        var ancient = Assert.Single(entries, m => m.Manager == "ancient-changes");
        Assert.True(ancient.Fields.Has("f:spec", "f:x", "f:labels", "f:k2"));
        Assert.False(ancient.Fields.Has("f:spec", "f:x", "f:labels", "f:k3"));
    }

    [Fact]
    public void Lists_without_identities_do_not_stop_an_update()
    {
        var live = UpdateAs(null, "one", "{'a':1}");
        Assert.Equal(Owners(live), Owners(UpdateAs(live, "two", "{'a':2,'map':[{'v':1}]}")));
    }

    [Property(MaxTest = 100)]
    public bool Every_field_has_an_owner_after_creation_and_updates(int seed)
    {
        var random = new Random(seed);
        JsonObject? live = null;
        for (var i = 0; i < 4; i++)
        {
            var value = Config("{}");
            value["spec"] = RandomJson.Object(random, 3);
            live = ManagedFields.Update(live, value, new FieldWriter($"m{random.Next(3)}", "g/v1", "", Start.AddSeconds(i)), TypeSchema.Anything);
        }
        var owned = ManagerEntry.ReadAll(live).Aggregate(FieldSet.Empty, (set, m) => set.Union(m.Fields));
        var spec = TypedFields.Of(live!, TypedFields.Resource(TypeSchema.Anything)).Below("f:spec");
        return spec.Difference(owned.Below("f:spec")).IsEmpty;
    }

    [Property(MaxTest = 100)]
    public bool Applying_twice_is_applying_once(int seed)
    {
        var random = new Random(seed);
        JsonObject? live = null;
        for (var i = 0; i < 4; i++)
        {
            var config = Config("{}");
            config["spec"] = RandomJson.Object(random, 3);
            var writer = new FieldWriter($"m{random.Next(3)}", "g/v1", "", Start.AddSeconds(i));
            live = ManagedFields.Apply(live, config, writer, force: true, TypeSchema.Anything);
            var again = ManagedFields.Apply(live, config, writer with { Time = Start.AddDays(1) }, force: false, TypeSchema.Anything);
            Assert.True(again.ToJsonString() == live.ToJsonString(), $"applied {config["spec"]!.ToJsonString()}\nonce  {live.ToJsonString()}\ntwice {again.ToJsonString()}");
        }
        return true;
    }
}
