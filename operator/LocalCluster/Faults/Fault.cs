using System.Text.Json.Serialization;

namespace Graft.LocalCluster;

/// <summary>
/// What goes wrong with a request or with an event of a watch; one of the nested records. Durations are written like <c>500ms</c> or
/// <c>1m30s</c>.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "action")]
[JsonDerivedType(typeof(Delay), "delay")]
[JsonDerivedType(typeof(Drop), "drop")]
[JsonDerivedType(typeof(Status), "status")]
[JsonDerivedType(typeof(Reset), "reset")]
[JsonDerivedType(typeof(Stale), "stale")]
[JsonDerivedType(typeof(Withhold), "withhold")]
[JsonDerivedType(typeof(Coalesce), "coalesce")]
[JsonDerivedType(typeof(Cut), "cut")]
[JsonDerivedType(typeof(Expire), "expire")]
[JsonDerivedType(typeof(WithholdBookmarks), "withholdBookmarks")]
[JsonDerivedType(typeof(Jump), "jump")]
[JsonDerivedType(typeof(Crash), "crash")]
public abstract record Fault
{
    private Fault()
    {
    }

    /// <summary>The answer comes late: by <see cref="For"/>, or by a time between it and <see cref="UpTo"/> that the seed draws.</summary>
    /// <param name="AfterCommit">The request is served first and only its answer waits.</param>
    public sealed record Delay(
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] TimeSpan For, TimeSpan? UpTo = null, bool AfterCommit = false) : Fault;

    /// <summary>No answer, until the client gives up.</summary>
    /// <param name="AfterCommit">The request is served all the same.</param>
    public sealed record Drop(bool AfterCommit = false) : Fault;

    /// <summary>An error of the server's.</summary>
    /// <param name="Code">409, 429, 500, 503 or 504.</param>
    /// <param name="RetryAfter">Seconds, for the header of that name; 429 says 1 where this is absent, as an API server does.</param>
    /// <param name="AfterCommit">The request is served first and only then said to have failed, as when etcd answers too late.</param>
    public sealed record Status(int Code, int? RetryAfter = null, bool AfterCommit = false) : Fault;

    /// <summary>The connection breaks.</summary>
    /// <param name="AfterCommit">The request is served first and only its answer is lost.</param>
    public sealed record Reset(bool AfterCommit = false) : Fault;

    /// <summary>
    /// A read is answered from the past; a watch begins there. Kubernetes does so where a client asks for <c>resourceVersion=0</c>, from
    /// a server whose watch cache lags.
    /// </summary>
    /// <param name="Versions">How many versions ago, of all objects together.</param>
    /// <param name="Age">Or how long ago.</param>
    /// <param name="Always">Reads that ask for the newest state too, which no API server answers so.</param>
    public sealed record Stale(long? Versions = null, TimeSpan? Age = null, bool Always = false) : Fault;

    /// <summary>A watch halts before an event and goes on later, in order.</summary>
    /// <param name="For">How long at most.</param>
    /// <param name="Events">It goes on earlier, when so many events wait.</param>
    public sealed record Withhold(TimeSpan For, int? Events = null) : Fault;

    /// <summary>A watch halts before an event; what waits then is told as one event for each object, as a new list would show it.</summary>
    /// <param name="For">How long at most.</param>
    /// <param name="Events">It goes on earlier, when so many events wait.</param>
    public sealed record Coalesce(TimeSpan For, int? Events = null) : Fault;

    /// <summary>A watch ends.</summary>
    /// <param name="AfterEvents">How many events it tells first.</param>
    /// <param name="MidLine">With a broken connection, in the middle of the next event; else well.</param>
    public sealed record Cut(int AfterEvents = 0, bool MidLine = false) : Fault;

    /// <summary>410: the version is too old.</summary>
    /// <param name="AfterEvents">As an ERROR event, when a watch has told so many others; absent: as the answer of a list or watch.</param>
    public sealed record Expire(int? AfterEvents = null) : Fault;

    /// <summary>A watch tells no bookmarks but the one that ends its initial events.</summary>
    public sealed record WithholdBookmarks : Fault;

    /// <summary>The cluster's clock jumps when the request arrives; what is measured (timeouts, leases' renewals) goes on.</summary>
    /// <param name="By">Forwards, or backwards with a minus.</param>
    public sealed record Jump(TimeSpan By) : Fault;

    /// <summary>When a write is committed, <see cref="FaultInjector.Crashing"/> is called; then the connection breaks.</summary>
    /// <param name="Command">A program and its arguments, for whoever is called: <c>[kill, -KILL, "1234"]</c>.</param>
    public sealed record Crash(IReadOnlyList<string>? Command = null) : Fault;

    /// <summary>Whether it waits for the request to be served.</summary>
    internal bool NeedsAnswer => this is Delay { AfterCommit: true } or Drop { AfterCommit: true } or Status { AfterCommit: true }
        or Reset { AfterCommit: true } or Crash;

    /// <summary>Whether it befalls events of a watch rather than requests.</summary>
    internal bool IsOfEvents => this is Withhold or Coalesce;
}
