using System.Text.Json.Nodes;
using Graft.LocalCluster.Patching;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Apply;

/// <summary>
/// Keeps <c>metadata.managedFields</c>, and merges applied configurations: Kubernetes' page "Server-Side Apply" and KEP-555.
/// </summary>
internal static class ManagedFields
{
    private const string BeforeFirstApply = "before-first-apply";
    private const string AncientChanges = "ancient-changes";
    private const int MaxUpdateManagers = 10;

    // Identity and what the server writes: owned by nobody.
    private static readonly FieldSet Stripped = new[]
        {
            FieldSet.Of("f:apiVersion"), FieldSet.Of("f:kind"), FieldSet.Of("f:metadata"),
        }
        .Concat(new[]
        {
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion",
        }.Select(name => FieldSet.Of("f:metadata", "f:" + name)))
        .Aggregate(FieldSet.Empty, (all, one) => all.Union(one));

    /// <summary>
    /// Books a create, update or patch: what <paramref name="value"/> changes against <paramref name="live"/> belongs to the writer now.
    /// </summary>
    /// <param name="live">The stored object, or null on create.</param>
    /// <param name="value">The object to be stored, complete; not changed.</param>
    /// <param name="writer">Who writes.</param>
    /// <param name="schema">The schema of the version.</param>
    /// <returns>A copy of <paramref name="value"/> with managedFields.</returns>
    public static JsonObject Update(JsonObject? live, JsonObject value, FieldWriter writer, TypeSchema schema)
    {
        var result = (JsonObject)value.DeepClone();
        var managers = ManagersOf(live, value, writer);
        if (live is not null && managers.Count == 0)
        {
            // Nobody's fields are tracked until the next apply.
            ManagerEntry.WriteAll(result, []);
            return result;
        }
        try
        {
            ManagerEntry.WriteAll(result, Booked(live ?? Shell(value), value, managers, writer, schema));
        }
        catch (ListItemException)
        {
            // An object whose lists have no order of ownership keeps what was known.
            ManagerEntry.WriteAll(result, managers);
        }
        return result;
    }

    /// <summary>Server-side apply.</summary>
    /// <param name="live">The stored object, or null when apply creates it.</param>
    /// <param name="applied">The applied configuration as it came; not changed.</param>
    /// <param name="writer">Who applies.</param>
    /// <param name="force">Take fields from other managers instead of failing.</param>
    /// <param name="schema">The schema of the version.</param>
    /// <returns>The object to default, validate and store, with managedFields.</returns>
    /// <exception cref="FieldConflictException">Others own fields with other values.</exception>
    /// <exception cref="PatchException">400: the configuration has managedFields, or another version, or a list without identities.</exception>
    public static JsonObject Apply(JsonObject? live, JsonObject applied, FieldWriter writer, bool force, TypeSchema schema)
    {
        Refuse(applied, writer);
        var type = TypedFields.Resource(schema);
        var before = live ?? Shell(applied);
        var managers = ManagerEntry.ReadAll(live);
        try
        {
            if (managers.Count == 0 && live is not null)
            {
                var first = writer with { Manager = BeforeFirstApply, Subresource = "", ResetFields = [] };
                managers = Booked(Shell(live), live, [], first, schema);
            }
            TypedMerge.RefuseDuplicates(applied, type);
            var result = Merged(before, applied, managers, writer, force || MayForce(live, applied, managers, writer, type), type);
            SyncLastApplied(result, applied, writer);
            return result;
        }
        catch (ListItemException e)
        {
            throw PatchException.BadRequest($"failed to create typed patch object: {e.Message}");
        }
    }

    private static JsonObject Merged(
        JsonObject before, JsonObject applied, List<ManagerEntry> managers, FieldWriter writer, bool force, TypeSchema type)
    {
        var reset = Reset(writer);
        var config = Config(applied, writer);
        var entry = new ManagerEntry(
            writer.Manager, true, writer.ApiVersion, writer.Subresource, TypedFields.Of(config, type).DifferenceWithChildren(reset), null);
        var last = managers.Find(m => m.Identity == entry.Identity);
        var all = managers.Where(m => m.Identity != entry.Identity).Append(entry).ToList();

        var live = WithoutManagedFields(before);
        var merged = (JsonObject)TypedMerge.Merge(live, config, type)!;
        // Merged once more, because what was emptied may be applied as empty.
        var result = last is null ? merged : (JsonObject)TypedMerge.Merge(Pruned(merged, all, last.Fields, type), config, type)!;
        var comparison = Comparison.Of(live, result, type).Without(reset);

        if (!force && Conflicts(all, entry, comparison) is { Count: > 0 } conflicts)
        {
            throw new FieldConflictException(conflicts);
        }
        // Time tells of changes: an apply that changes nothing keeps it.
        entry = entry with
        {
            Fields = entry.Fields.Difference(Stripped),
            Time = comparison.IsSame ? last?.Time : writer.Time,
        };
        var others = Yielded(all.Where(m => m.Identity != entry.Identity), comparison);
        TypedFields.DropEmptied(result, type);
        ManagerEntry.WriteAll(result, entry.Fields.IsEmpty ? others : others.Append(entry));
        return result;
    }

    /// <summary>Removes what the applier applied last time and not now, unless somebody else owns it.</summary>
    private static JsonObject Pruned(JsonObject merged, List<ManagerEntry> all, FieldSet last, TypeSchema type)
    {
        FieldSet WithParents(FieldSet set) => TypedFields.WithDeclaredParents(set, type);
        FieldSet FieldsOf(JsonNode? value) => WithParents(TypedFields.Of(value ?? new JsonObject(), type));

        var everything = FieldsOf(merged);
        var owned = WithParents(all.Aggregate(FieldSet.Empty, (set, m) => set.Union(m.Fields)));
        var pruned = TypedFields.Without(merged, WithParents(last), type);
        // What others own comes back, with what holds it.
        pruned = TypedFields.Without(merged, everything.Difference(FieldsOf(pruned).Union(owned)), type);
        // What nobody owns was below what went; it stays.
        return (JsonObject)TypedFields.Without(merged, everything.Difference(FieldsOf(pruned)).Intersection(WithParents(last)), type)!;
    }

    private static List<FieldConflict> Conflicts(List<ManagerEntry> all, ManagerEntry self, Comparison comparison)
    {
        var changed = comparison.Modified.Union(comparison.Added);
        return all
            .Where(m => m.Identity != self.Identity)
            .SelectMany(m => m.Fields.Intersection(changed).Paths().Select(path => new FieldConflict(m.DisplayName, path)))
            .OrderBy(c => c.Manager, StringComparer.Ordinal)
            .ToList();
    }

    /// <summary>The other managers after a write: what changed, and what is gone, is no longer theirs.</summary>
    private static IEnumerable<ManagerEntry> Yielded(IEnumerable<ManagerEntry> others, Comparison comparison)
    {
        var changed = comparison.Modified.Union(comparison.Added).Union(comparison.Removed);
        return others.Select(m => m with { Fields = m.Fields.Difference(changed) }).Where(m => !m.Fields.IsEmpty);
    }

    private static List<ManagerEntry> Booked(
        JsonObject live, JsonObject value, List<ManagerEntry> managers, FieldWriter writer, TypeSchema schema)
    {
        var comparison = Comparison
            .Of(WithoutManagedFields(live), WithoutManagedFields(value), TypedFields.Resource(schema))
            .Without(Reset(writer));
        var result = Yielded(managers, comparison).ToList();
        var fields = comparison.Modified.Union(comparison.Added).Difference(Stripped);
        if (!fields.IsEmpty)
        {
            var entry = new ManagerEntry(writer.Manager, false, writer.ApiVersion, writer.Subresource, fields, writer.Time);
            var previous = result.Find(m => m.Identity == entry.Identity);
            result.RemoveAll(m => m.Identity == entry.Identity);
            result.Add(entry with { Fields = fields.Union(previous?.Fields ?? FieldSet.Empty) });
        }
        return Capped(result);
    }

    /// <summary>Joins the oldest updaters of a version, so that controllers with random names cannot fill the object.</summary>
    private static List<ManagerEntry> Capped(List<ManagerEntry> managers)
    {
        var excess = managers.Count(m => !m.IsApply) - MaxUpdateManagers;
        if (excess <= 0)
        {
            return managers;
        }
        var oldest = managers.Where(m => !m.IsApply)
            .OrderBy(m => m.Time?.ToUnixTimeSeconds() ?? 0).ThenBy(m => m.Manager, StringComparer.Ordinal)
            .Take(excess + 1).ToList();
        var joined = oldest.GroupBy(m => m.ApiVersion).Where(g => g.Count() > 1).ToList();
        foreach (var group in joined)
        {
            managers.RemoveAll(group.Contains);
            managers.Add(new ManagerEntry(
                AncientChanges,
                false,
                group.Key,
                "",
                group.Aggregate(FieldSet.Empty, (set, m) => set.Union(m.Fields)),
                group.Max(m => m.Time)));
        }
        return managers;
    }

    /// <summary>The managers that a write starts from: those that the request states, or else the stored ones.</summary>
    private static List<ManagerEntry> ManagersOf(JsonObject? live, JsonObject value, FieldWriter writer)
    {
        if (writer.Subresource.Length > 0)
        {
            return ManagerEntry.ReadAll(live);
        }
        if (ManagerEntry.IsReset(value))
        {
            return [];
        }
        var stated = ManagerEntry.ReadAll(value);
        return stated.Count > 0 ? stated : ManagerEntry.ReadAll(live);
    }

    /// <summary>
    /// kubectl may take over what client-side apply wrote: conflicts on fields that still are as the annotation last-applied says do not
    /// count.
    /// </summary>
    private static bool MayForce(JsonObject? live, JsonObject applied, List<ManagerEntry> managers, FieldWriter writer, TypeSchema type)
    {
        if (writer.Manager != "kubectl" || live is null || LastApplied.Read(live) is not { } last
            || !JsonEquality.Same(last["apiVersion"], writer.ApiVersion))
        {
            return false;
        }
        try
        {
            Merged(live, applied, managers, writer, force: false, type);
            return false;
        }
        catch (FieldConflictException e)
        {
            var comparison = Comparison.Of(last, WithoutManagedFields(live), type);
            var changed = comparison.Modified.Union(comparison.Added).Union(comparison.Removed);
            var allowed = TypedFields.Of(last, type).Difference(changed).Paths().ToHashSet(StringComparer.Ordinal);
            var left = e.Conflicts.Where(c => !allowed.Contains(c.Path)).ToList();
            return left.Count == 0 ? true : throw new FieldConflictException(left);
        }
    }

    private static void SyncLastApplied(JsonObject result, JsonObject applied, FieldWriter writer)
    {
        if (writer.Manager == "kubectl" && LastApplied.Read(result) is not null)
        {
            LastApplied.Write(result, applied);
        }
    }

    private static void Refuse(JsonObject applied, FieldWriter writer)
    {
        if (applied["metadata"] is JsonObject metadata && metadata["managedFields"] is not null)
        {
            throw PatchException.BadRequest("metadata.managedFields must be nil");
        }
        if (!JsonEquality.Same(applied["apiVersion"], writer.ApiVersion))
        {
            throw PatchException.BadRequest(
                $"Incorrect version specified in apply patch. Specified patch version: {applied["apiVersion"]}, expected: {writer.ApiVersion}");
        }
    }

    private static FieldSet Reset(FieldWriter writer) =>
        writer.ResetFields.Aggregate(FieldSet.Empty, (set, name) => set.Union(FieldSet.Of(PathElement.Field(name))));

    private static JsonObject Config(JsonObject applied, FieldWriter writer)
    {
        var config = (JsonObject)applied.DeepClone();
        foreach (var name in writer.ResetFields)
        {
            config.Remove(name);
        }
        return config;
    }

    /// <summary>The object before it was created: its type, and nothing else.</summary>
    private static JsonObject Shell(JsonObject value) => new()
    {
        ["apiVersion"] = value["apiVersion"]?.DeepClone(),
        ["kind"] = value["kind"]?.DeepClone(),
        ["metadata"] = new JsonObject(),
    };

    private static JsonObject WithoutManagedFields(JsonObject value)
    {
        var copy = (JsonObject)value.DeepClone();
        (copy["metadata"] as JsonObject)?.Remove("managedFields");
        return copy;
    }
}
