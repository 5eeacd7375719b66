using System.Text.Json.Nodes;
using Graft.LocalCluster.Storage;
using Graft.LocalCluster.Tests.Kubelet;
using Microsoft.Data.Sqlite;

namespace Graft.LocalCluster.Tests.Storage;

public sealed class SqliteJournalTests : IDisposable
{
    private static readonly GroupResource ConfigMaps = new("", "configmaps");
    private readonly TemporaryFolder _folder = new();

    private string Database => Path.Combine(_folder.Path, "objects.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_written_is_there_at_the_next_start()
    {
        long last;
        await using (var journal = SqliteJournal.Open(Database).Journal)
        {
            var store = new ObjectStore(journal: journal);
            var a = store.Insert(ConfigMaps, new ObjectKey("n", "a"), Named("a"));
            store.Replace(ConfigMaps, a, Named("a", "new"));
            var b = store.Insert(ConfigMaps, new ObjectKey("n", "b"), Named("b"));
            store.Remove(ConfigMaps, b);
            last = store.ResourceVersion;
            await store.FlushedAsync();
        }

        var (again, content) = SqliteJournal.Open(Database);
        await using var _ = again;
        var restored = new ObjectStore(journal: again);
        restored.Restore(content);

        var kept = Assert.Single(restored.Snapshot(ConfigMaps).Objects.All);
        Assert.Equal(("a", "new"), (kept.Content.Name(), kept.Content["data"]!.GetValue<string>()));
        Assert.Equal(kept.ResourceVersion.ToString(System.Globalization.CultureInfo.InvariantCulture), kept.Content.ResourceVersion());
        Assert.True(restored.ResourceVersion > last);
        Assert.Throws<ExpiredVersionException>(() => restored.Events(ConfigMaps).PlaceAfter(last));
    }

    [Fact]
    public async Task Every_life_begins_above_all_versions_of_the_one_before()
    {
        var versions = new List<long>();
        for (var life = 0; life < 3; life++)
        {
            var (journal, content) = SqliteJournal.Open(Database);
            await using var _ = journal;
            var store = new ObjectStore(journal: journal);
            store.Restore(content);
            versions.Add(store.Insert(ConfigMaps, new ObjectKey("n", $"life-{life}"), Named($"life-{life}")).ResourceVersion);
            await store.FlushedAsync();
        }
        Assert.Equal(versions.Order().Distinct(), versions);
    }

    [Fact]
    public async Task A_write_that_is_not_flushed_yet_is_flushed_by_closing()
    {
        await using (var journal = SqliteJournal.Open(Database).Journal)
            new ObjectStore(journal: journal).Insert(ConfigMaps, new ObjectKey("n", "a"), Named("a"));

        var (reopened, content) = SqliteJournal.Open(Database);
        await using var _ = reopened;
        Assert.Single(content.Objects);
    }

    [Theory]
    [InlineData(0, "cannot be read")]
    [InlineData(8192, "damaged")]
    public async Task A_damaged_database_is_an_error_that_names_it_and_leaves_it_as_it_is(int from, string words)
    {
        await using (var journal = SqliteJournal.Open(Database).Journal)
        {
            var store = new ObjectStore(journal: journal);
            for (var i = 0; i < 200; i++)
                store.Insert(ConfigMaps, new ObjectKey("n", $"a{i}"), Named($"a{i}", new string('x', 500)));
        }
        var bytes = await File.ReadAllBytesAsync(Database);
        Array.Fill(bytes, (byte)0xA5, from, 4096);
        await File.WriteAllBytesAsync(Database, bytes);

        var refused = Assert.Throws<IOException>(() => SqliteJournal.Open(Database));

        Assert.Contains(Database, refused.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", refused.Message, StringComparison.Ordinal);
        Assert.True(refused.Message.Contains(words, StringComparison.Ordinal) || refused.Message.Contains("cannot be read", StringComparison.Ordinal));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Database));
    }

    [Fact]
    public async Task A_database_of_another_version_is_left_alone()
    {
        await using (SqliteJournal.Open(Database).Journal)
        {
        }
        using (var other = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            other.Open();
            using var command = other.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            command.ExecuteNonQuery();
        }
        Assert.Contains("another version", Assert.Throws<IOException>(() => SqliteJournal.Open(Database)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_takes_no_more_fails_what_was_not_kept_and_everything_after()
    {
        var (journal, _) = SqliteJournal.Open(Database, maxPages: 12);
        await using var disposing = journal;
        var store = new ObjectStore(journal: journal);
        store.Insert(ConfigMaps, new ObjectKey("n", "small"), Named("small"));
        await store.FlushedAsync();

        store.Insert(ConfigMaps, new ObjectKey("n", "large"), Named("large", new string('x', 200_000)));
        await Assert.ThrowsAsync<IOException>(store.FlushedAsync);

        var version = store.ResourceVersion;
        Assert.Throws<IOException>(() => store.Insert(ConfigMaps, new ObjectKey("n", "next"), Named("next")));
        Assert.Equal(version, store.ResourceVersion);
        Assert.Null(store.Get(ConfigMaps, new ObjectKey("n", "next")));
    }

    private static JsonObject Named(string name, string data = "") =>
        new() { ["metadata"] = new JsonObject { ["namespace"] = "n", ["name"] = name }, ["data"] = data };
}
