using Graft.Contract;
using Graft.Sources.Downloads;

namespace Graft.Sources;

/// <summary>Fetches one scheme's sources.</summary>
internal interface ISourceClient<in TUri> where TUri : SourceUri
{
    /// <summary>What <paramref name="uri"/> names now, complete in the cache.</summary>
    /// <exception cref="SourceException">It is not to be had.</exception>
    Task<Fetched> FetchAsync(TUri uri, FetchRequest request, ProgressMeter meter, CancellationToken cancellation);
}
