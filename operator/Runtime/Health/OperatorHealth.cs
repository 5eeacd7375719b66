namespace Graft.Runtime;

/// <summary>Whether this process sees the cluster as it is: every cache is filled, and no watch has gone quiet.</summary>
public sealed class OperatorHealth(InformerSet informers, OperatorSettings settings, TimeProvider time)
{
    /// <summary>What is wrong, one sentence each; empty when ready.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        foreach (var informer in informers.All)
        {
            var silence = time.GetUtcNow() - informer.LastActivity;
            if (!informer.HasSynced)
                problems.Add($"The cache of {informer.Kind.Plural} is not filled yet.");
            else if (silence > settings.SilenceLimit)
                problems.Add($"The watch of {informer.Kind.Plural} has been silent for {silence.TotalMinutes:0} minutes.");
        }

        return problems;
    }
}
