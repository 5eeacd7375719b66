using System.Globalization;
using System.Text;
using Graft.LocalCluster.Kinds;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Api.Reading;

/// <summary>One page of a list.</summary>
/// <param name="Next">The token of the following page; empty after the last.</param>
/// <param name="Remaining">How many follow, where that is known without looking at each.</param>
internal sealed record ListPage(IReadOnlyList<StoredObject> Objects, long Version, string Next, long? Remaining);

/// <summary>Lists, in pages that all show the same moment.</summary>
internal sealed class ListReader(ObjectStore store)
{
    private const string TooOld = "The provided continue parameter is too old to display a consistent list result. " +
        "You must start a new list without the continue parameter.";

    public ListPage Read(ResourceKind kind, Selectors selectors, IQueryCollection query)
    {
        var limit = int.TryParse(query["limit"], out var wanted) && wanted > 0 ? wanted : int.MaxValue;
        var (snapshot, after) = Start(kind, query);
        var objects = after is { } last ? snapshot.Objects.After(last, selectors.Namespace) : snapshot.Objects.In(selectors.Namespace);
        var page = new List<StoredObject>();
        var more = false;
        foreach (var stored in objects.Where(selectors.Matches))
        {
            if (page.Count == limit)
            {
                more = true;
                break;
            }
            page.Add(stored);
        }
        if (!more)
            return new ListPage(page, snapshot.ResourceVersion, "", null);
        store.KeepForPaging(kind.GroupResource, snapshot);
        var remaining = selectors.IsSelective ? (long?)null : objects.Count(selectors.Matches) - page.Count;
        return new ListPage(page, snapshot.ResourceVersion, Token(snapshot.ResourceVersion, page[^1].Key), remaining);
    }

    private (TableSnapshot Snapshot, ObjectKey? After) Start(ResourceKind kind, IQueryCollection query)
    {
        if (query["continue"].ToString() is { Length: > 0 } token)
        {
            var (version, key) = ParseToken(token);
            if (query["resourceVersion"].ToString() is not ("" or "0"))
                throw ApiException.BadRequest("specifying resource version is not allowed when using continue");
            return (store.PagedSnapshot(kind.GroupResource, version) ?? throw ApiException.Expired(TooOld), key);
        }
        var snapshot = store.Snapshot(kind.GroupResource);
        if (query["resourceVersion"].ToString() is { Length: > 0 } text and not "0")
        {
            if (!long.TryParse(text, out var asked))
                throw ApiException.BadRequest($"invalid resource version \"{text}\"");
            if (asked > snapshot.ResourceVersion)
            {
                throw ApiException.TooNew(asked, snapshot.ResourceVersion);
            }
            var match = query["resourceVersionMatch"].ToString();
            var exact = match == "Exact" || (match.Length == 0 && query["limit"].ToString() is not ("" or "0"));
            if (exact && asked != snapshot.ResourceVersion)
                return (SnapshotAt(kind, asked), null);
        }
        return (snapshot, null);
    }

    private TableSnapshot SnapshotAt(ResourceKind kind, long version)
    {
        try
        {
            return store.PagedSnapshot(kind.GroupResource, version) ?? store.SnapshotAt(kind.GroupResource, version);
        }
        catch (ExpiredVersionException)
        {
            throw ApiException.Expired($"The provided resource version is too old: {version}");
        }
    }

    private static string Token(long version, ObjectKey last) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"{version.ToString(CultureInfo.InvariantCulture)}/{last.Namespace}/{last.Name}"));

    private static (long Version, ObjectKey Key) ParseToken(string token)
    {
        var bytes = new byte[token.Length];
        if (Convert.TryFromBase64String(token, bytes, out var length))
        {
            var parts = Encoding.UTF8.GetString(bytes.AsSpan(0, length)).Split('/', 3);
            if (parts.Length == 3 && long.TryParse(parts[0], out var version))
                return (version, new ObjectKey(parts[1], parts[2]));
        }
        throw ApiException.BadRequest("continue key is not valid");
    }
}
