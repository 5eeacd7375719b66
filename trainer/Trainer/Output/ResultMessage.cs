using System.Text.Json;
using Graft.Contract;

namespace Graft.Trainer.Output;

/// <summary>How a run ended, in the at most <see cref="TrainingResult.MaxBytes"/> bytes that Kubernetes keeps.</summary>
internal static class ResultMessage
{
    private const string Ellipsis = "…";

    // Characters of a text that always fit, whatever they are: JSON makes at most six bytes of one.
    private const int MaxKept = 256;
    private const int MaxKeptOfModule = 64;

    /// <summary>
    /// Leaves out what has room elsewhere until it fits: metrics past the 20th, the message's end, names of targets, names of modules that
    /// are saved whole but for the first (whether there are any decides what an engine does), metrics.
    /// </summary>
    public static byte[] Fit(TrainingResult result)
    {
        if (result.Artifact is { } artifact && artifact.Metrics.Count > TrainingResult.MaxMetrics)
            result = result with { Artifact = artifact with { Metrics = First(artifact.Metrics, TrainingResult.MaxMetrics) } };
        var json = Serialize(result);
        while (json.Length > TrainingResult.MaxBytes)
        {
            result = Smaller(result);
            json = Serialize(result);
        }
        return json;
    }

    /// <summary>Writes it where Kubernetes reads it. Without such a place (a person's own run) nothing is written.</summary>
    /// <returns>False when there is a place and it cannot be written; standard error then says so.</returns>
    public static bool Write(TrainingResult result, string path, bool required, TextWriter errors)
    {
        // The kubelet mounts the file before the container starts. Where there is none, nobody asked for it.
        if (!required && !File.Exists(path)) return true;
        var json = Fit(result);
        try
        {
            if (File.Exists(path)) Overwrite(path, json);
            else WriteAside(path, json);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"the termination message cannot be written to {path}: {e.Message}");
            return false;
        }
    }

    /// <summary>One write and a cut: a mounted file cannot be replaced by a rename.</summary>
    private static void Overwrite(string path, byte[] json)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(json);
        stream.SetLength(json.Length);
        stream.Flush(flushToDisk: true);
    }

    private static void WriteAside(string path, byte[] json)
    {
        var aside = path + ".new";
        File.WriteAllBytes(aside, json);
        File.Move(aside, path, overwrite: true);
    }

    private static TrainingResult Smaller(TrainingResult result)
    {
        if (result.Failure is { Message.Length: > MaxKept } failure)
        {
            return Most(failure.Message.Length, keep => result with
            {
                Failure = failure with { Message = Beginning(failure.Message, keep) },
            });
        }
        if (result.Artifact is { } artifact)
        {
            var (facts, metrics) = (artifact.Facts, artifact.Metrics);
            TrainingResult With(ArtifactSummary summary) => result with { Artifact = summary };
            TrainingResult WithModules(IEnumerable<string> names) =>
                With(artifact with { Facts = facts with { ModulesToSave = [.. names] } });
            if (facts.Targets.Count > 0)
            {
                return Most(facts.Targets.Count, keep =>
                    With(artifact with { Facts = facts with { Targets = [.. facts.Targets.Take(keep)] } }));
            }
            if (facts.ModulesToSave.Count > 1)
                return Most(facts.ModulesToSave.Count, keep => WithModules(facts.ModulesToSave.Take(Math.Max(1, keep))));
            if (metrics.Count > 0) return Most(metrics.Count, keep => With(artifact with { Metrics = First(metrics, keep) }));
            if (artifact.Uri.Length > MaxKept)
                return Most(artifact.Uri.Length, keep => With(artifact with { Uri = Beginning(artifact.Uri, keep) }));
            if (facts.ModulesToSave is [{ Length: > MaxKeptOfModule } name])
                return Most(name.Length, keep => WithModules([Beginning(name, keep)]));
        }
        throw new InvalidOperationException("nothing left to leave out of the result");
    }

    /// <summary>
    /// The result with as much of something as fits, but less than all of it; with nothing of it when not even one fits. Found by
    /// halving, because how many bytes a character or a name takes in JSON differs.
    /// </summary>
    private static TrainingResult Most(int all, Func<int, TrainingResult> with)
    {
        int fits = 0, tooMuch = all;
        while (tooMuch - fits > 1)
        {
            var keep = (fits + tooMuch) / 2;
            if (Serialize(with(keep)).Length <= TrainingResult.MaxBytes) fits = keep;
            else tooMuch = keep;
        }
        return with(fits);
    }

    private static string Beginning(string text, int keep) =>
        text[..(keep > 0 && char.IsHighSurrogate(text[keep - 1]) ? keep - 1 : keep)] + Ellipsis;

    private static SortedDictionary<string, double> First(IReadOnlyDictionary<string, double> metrics, int count) =>
        new(metrics.OrderBy(m => m.Key, StringComparer.Ordinal).Take(count).ToDictionary(), StringComparer.Ordinal);

    private static byte[] Serialize(TrainingResult result) =>
        JsonSerializer.SerializeToUtf8Bytes(result, ContractJson.Compact.TrainingResult);
}
