using Microsoft.Data.Sqlite;

namespace Graft.LocalCluster.Storage;

/// <summary>The statements of the journal, compiled once.</summary>
internal sealed class JournalStatements : IDisposable
{
    private readonly SqliteConnection _database;
    private readonly SqliteCommand _put;
    private readonly SqliteCommand _remove;
    private readonly SqliteCommand _advance;

    public JournalStatements(SqliteConnection database)
    {
        _database = database;
        _put = Command("""
            INSERT INTO objects (api_group, resource, namespace, name, version, json) VALUES ($group, $resource, $namespace, $name, $version, $json)
            ON CONFLICT (api_group, resource, namespace, name) DO UPDATE SET version = excluded.version, json = excluded.json
            """, "$group", "$resource", "$namespace", "$name", "$version", "$json");
        _remove = Command(
            "DELETE FROM objects WHERE api_group = $group AND resource = $resource AND namespace = $namespace AND name = $name",
            "$group", "$resource", "$namespace", "$name");
        _advance = Command(
            "INSERT INTO store (id, version) VALUES (1, $version) ON CONFLICT (id) DO UPDATE SET version = excluded.version", "$version");
    }

    /// <summary>All of these changes, or none.</summary>
    /// <exception cref="SqliteException">None was kept.</exception>
    public void Commit(List<JournalEntry> entries)
    {
        using var transaction = _database.BeginTransaction();
        foreach (var entry in entries)
        {
            var command = entry.IsDeletion ? _remove : _put;
            Bind(command, 0, entry.Resource.Group, entry.Resource.Resource, entry.Object.Key.Namespace, entry.Object.Key.Name);
            if (!entry.IsDeletion)
                Bind(command, 4, entry.Object.ResourceVersion, entry.Object.Utf8);
            command.Transaction = transaction;
            command.ExecuteNonQuery();
        }
        Bind(_advance, 0, entries[^1].Object.ResourceVersion);
        _advance.Transaction = transaction;
        _advance.ExecuteNonQuery();
        transaction.Commit();
    }

    public void Dispose()
    {
        _put.Dispose();
        _remove.Dispose();
        _advance.Dispose();
    }

    private static void Bind(SqliteCommand command, int from, params object[] values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[from + i].Value = values[i];
    }

    private SqliteCommand Command(string text, params string[] parameters)
    {
        var command = _database.CreateCommand();
        command.CommandText = text;
        foreach (var parameter in parameters)
            command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
        return command;
    }
}

/// <summary>What a database holds: the objects, and the version of the last change.</summary>
internal sealed record StoredContent(IReadOnlyList<(GroupResource Resource, StoredObject Object)> Objects, long Version)
{
    public static StoredContent Read(SqliteConnection database)
    {
        using var command = database.CreateCommand();
        command.CommandText = "SELECT version FROM store WHERE id = 1";
        var version = command.ExecuteScalar() as long? ?? 0;
        command.CommandText = "SELECT api_group, resource, namespace, name, version, json FROM objects ORDER BY api_group, resource, namespace, name";
        var objects = new List<(GroupResource, StoredObject)>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            objects.Add((
                new GroupResource(reader.GetString(0), reader.GetString(1)),
                new StoredObject(new ObjectKey(reader.GetString(2), reader.GetString(3)), reader.GetFieldValue<byte[]>(5), reader.GetInt64(4))));
        }
        return new StoredContent(objects, version);
    }
}
