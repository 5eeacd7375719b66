using Graft.Contract;
using Graft.Sources;
using Graft.Trainer.Reporting;

namespace Graft.Trainer.Runs;

/// <summary>The base model as a run opens it.</summary>
/// <param name="Root">What its links may not leave: the cache, or the mounted volume; null: its folder.</param>
/// <param name="Revision">What a fetched source named; null for what was mounted.</param>
internal sealed record LocalModel(string Path, string? Root, string? Revision);

/// <summary>Fetches what a job names by source alone; afterwards every input has a path. What is mounted stays as it is.</summary>
internal sealed class InputFetcher(ProgressBoard board, RunLog log, Func<string, string?> environment)
{
    /// <summary>The same data, each file with a path on this machine.</summary>
    /// <exception cref="RunFailedException">Class <see cref="FailureClass.DataError"/>, or the machine's where another attempt makes
    /// sense.</exception>
    public async Task<DataInput> DataAsync(DataInput data, CancellationToken cancellation)
    {
        var train = await FilesAsync(data.Train, cancellation);
        var validation = data.Validation is { Sources: { } sources } given
            ? given with { Sources = await FilesAsync(sources, cancellation) }
            : data.Validation;
        return data with { Train = train, Validation = validation };
    }

    /// <exception cref="RunFailedException">Class <see cref="FailureClass.ModelError"/>, or the machine's where another attempt makes
    /// sense.</exception>
    public async Task<LocalModel> ModelAsync(ModelInput model, CancellationToken cancellation)
    {
        if (model.Path.Length > 0)
        {
            var volume = ContractPaths.VolumeOf(model.Path);
            return new(
                ContractPaths.Resolve(model.Path, environment),
                volume is null ? null : ContractPaths.Resolve(volume, environment), Revision: null);
        }
        var fetched = await FetchAsync(model.Source, FetchKind.Model, model.Credentials, FailureClass.ModelError, cancellation);
        return new(fetched.Path, fetched.Root, fetched.Revision);
    }

    private async Task<IReadOnlyList<DataSource>> FilesAsync(IReadOnlyList<DataSource> sources, CancellationToken cancellation)
    {
        var files = new List<DataSource>();
        foreach (var source in sources)
        {
            if (source.Path.Length > 0)
            {
                files.Add(source);
                continue;
            }
            var fetched = await FetchAsync(source.Source, FetchKind.SingleFile, source.Credentials, FailureClass.DataError, cancellation);
            files.Add(source with { Path = fetched.Path });
        }
        return files;
    }

    private async Task<Fetched> FetchAsync(
        string source, FetchKind kind, string? credentials, FailureClass owner, CancellationToken cancellation)
    {
        board.Post(board.Snapshot with { Phase = TrainerPhase.Fetching, Download = new(source, 0, 0) });
        log.Phase(TrainerPhase.Fetching, source);
        try
        {
            var fetcher = new SourceFetcher(FetchOptions.FromEnvironment(environment));
            var folder = credentials is null ? null : ContractPaths.Resolve(credentials, environment);
            var fetched = await fetcher.FetchAsync(new(source, kind, folder), new Reporter(board, log, source), cancellation);
            log.Say($"fetched {source} revision={fetched.Revision}");
            return fetched;
        }
        catch (SourceException e)
        {
            throw new RunFailedException(e.ClassFor(owner), e.Message, e);
        }
        finally
        {
            board.Post(board.Snapshot with { Download = null });
        }
    }

    /// <summary>Several transfers report at once; the board and the log have one writer.</summary>
    private sealed class Reporter(ProgressBoard board, RunLog log, string source) : IProgress<FetchProgress>
    {
        private readonly Lock gate = new();

        public void Report(FetchProgress value)
        {
            lock (gate)
            {
                var download = new DownloadProgress(source, value.Bytes, value.TotalBytes, value.Waits);
                board.Post(board.Snapshot with { Download = download });
                log.Download(download);
            }
        }
    }
}
