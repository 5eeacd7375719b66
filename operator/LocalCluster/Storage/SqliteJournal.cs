using Microsoft.Data.Sqlite;

namespace Graft.LocalCluster.Storage;

/// <summary>
/// Objects in a SQLite database (docs/decisions/0018-durable-objects.md): its write-ahead log makes a transaction whole or nothing, and
/// <c>synchronous=FULL</c> makes a committed one survive a kill of the process and a loss of power. All writes that come while one
/// transaction is written make up the next one (group commit), so that many writers pay for one sync.
/// </summary>
internal sealed class SqliteJournal : IObjectJournal, IAsyncDisposable
{
    private const long SchemaVersion = 1;

    private readonly SqliteConnection _database;
    private readonly string _path;
    private readonly object _gate = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly Thread _writing;
    private List<JournalEntry> _pending = [];
    private TaskCompletionSource _pendingDone = NewSignal();
    private Task _lastBatch = Task.CompletedTask;
    private IOException? _failure;
    private bool _ending;

    private SqliteJournal(SqliteConnection database, string path)
    {
        (_database, _path) = (database, path);
        _writing = new Thread(Write) { IsBackground = true, Name = "object journal" };
    }

    /// <summary>Opens the database of a folder, or makes it, and reads what is in it.</summary>
    /// <param name="maxPages">How many pages of 4 KiB it may have at most; absent: as many as the disk has.</param>
    /// <exception cref="IOException">It cannot be read or is damaged. Nothing has been changed.</exception>
    public static (SqliteJournal Journal, StoredContent Content) Open(string path, int? maxPages = null)
    {
        var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            database.Open();
            Execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            Check(database, path);
            Execute(database, """
                CREATE TABLE IF NOT EXISTS objects (
                  api_group TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
                  version INTEGER NOT NULL, json BLOB NOT NULL,
                  PRIMARY KEY (api_group, resource, namespace, name));
                CREATE TABLE IF NOT EXISTS store (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
                """);
            Execute(database, $"PRAGMA user_version = {SchemaVersion};");
            if (maxPages is { } most)
                Execute(database, $"PRAGMA max_page_count = {most};");
            var content = StoredContent.Read(database);
            var journal = new SqliteJournal(database, path);
            journal._writing.Start();
            return (journal, content);
        }
        catch (SqliteException e)
        {
            database.Dispose();
            throw new IOException(
                $"The objects in {path} cannot be read ({e.Message}). Nothing was changed; move the file away to begin without them.", e);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public void Append(JournalEntry entry)
    {
        lock (_gate)
        {
            if (_failure is not null)
                throw _failure;
            _pending.Add(entry);
            if (_pending.Count > 1)
                return;
        }
        _work.Release();
    }

    public Task FlushedAsync()
    {
        lock (_gate)
        {
            if (_failure is not null)
                return Task.FromException(_failure);
            return _pending.Count > 0 ? _pendingDone.Task : _lastBatch;
        }
    }

    /// <summary>Keeps what was taken, and closes the database.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
            _ending = true;
        _work.Release();
        _writing.Join();
        _database.Dispose();
        _work.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Write()
    {
        using var statements = new JournalStatements(_database);
        while (true)
        {
            _work.Wait();
            List<JournalEntry> batch;
            TaskCompletionSource done;
            lock (_gate)
            {
                if (_pending.Count == 0)
                {
                    if (_ending)
                        return;
                    continue;
                }
                (batch, done) = (_pending, _pendingDone);
                (_pending, _pendingDone, _lastBatch) = ([], NewSignal(), done.Task);
            }
            try
            {
                statements.Commit(batch);
                done.SetResult();
            }
            catch (SqliteException e)
            {
                Fail(new IOException(
                    $"Objects cannot be written to {_path} any more ({e.Message}). Nothing is accepted until the next start.", e), done);
            }
            lock (_gate)
            {
                if (_ending && _pending.Count > 0)
                    _work.Release();
            }
        }
    }

    private void Fail(IOException failure, TaskCompletionSource done)
    {
        TaskCompletionSource next;
        lock (_gate)
        {
            _failure = failure;
            _pending.Clear();
            next = _pendingDone;
        }
        foreach (var waiting in (TaskCompletionSource[])[done, next])
        {
            waiting.SetException(failure);
            // Nobody has to wait for it.
            _ = waiting.Task.Exception;
        }
    }

    private static void Check(SqliteConnection database, string path)
    {
        using var command = database.CreateCommand();
        command.CommandText = "PRAGMA user_version;";
        var version = (long)command.ExecuteScalar()!;
        if (version is not (0 or SchemaVersion))
            throw new IOException($"{path} is of another version of this program ({version}, not {SchemaVersion}).");
        command.CommandText = "PRAGMA quick_check(1);";
        if (command.ExecuteScalar() is not "ok")
            throw new IOException($"The objects in {path} are damaged. Nothing was changed; move the file away to begin without them.");
    }

    private static void Execute(SqliteConnection database, string text)
    {
        using var command = database.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
