using Graft.Contract;

namespace Graft.Sources;

/// <summary>Why a source could not be fetched.</summary>
public enum SourceFault
{
    /// <summary>The URI, the credentials' files or an option are wrong in form.</summary>
    Invalid,

    /// <summary>There is no such model, revision, object or file.</summary>
    NotFound,

    /// <summary>Credentials are missing, wrong, or do not reach so far.</summary>
    Unauthorized,

    /// <summary>The address, a redirect or a file name is one that is never followed.</summary>
    Refused,

    /// <summary>It is there, but is nothing that can be opened: no weights, a broken manifest, only pickles.</summary>
    Unusable,

    /// <summary>The bytes are not those that were announced.</summary>
    Corrupt,

    /// <summary>Offline, and the cache lacks something.</summary>
    NotCached,

    /// <summary>No answer, a dropped connection, a rate limit, an error of the other side.</summary>
    Unreachable,

    /// <summary>The cache cannot be written: full, read-only, no permission.</summary>
    Storage,
}

/// <summary>A source that could not be fetched. The message names it, says what would be right, and never holds a secret.</summary>
public sealed class SourceException(SourceFault fault, string message, Exception? cause = null) : Exception(message, cause)
{
    public SourceFault Fault { get; } = fault;

    /// <summary>How long the other side wants to be left alone; null when it said nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the same may succeed when it is tried again unchanged. A person's error never does.</summary>
    public bool IsRetryable => Fault is SourceFault.Unreachable or SourceFault.Storage;

    /// <summary>The failure's class: the machine's where another attempt makes sense, else <paramref name="owner"/>'s.</summary>
    public FailureClass ClassFor(FailureClass owner) => IsRetryable ? FailureClass.Infrastructure : owner;
}
