using Graft.Integration.Harness;

namespace Graft.Integration.Kubectl;

/// <summary>Fractions in YAML: the same number has no difference, however a person writes it and whoever applied it.</summary>
public abstract class NumberTests(Cluster cluster) : ClusterTests(cluster)
{
    public static TheoryData<string> Versions => KubectlProgram.Versions;

    private static string Manifest(string rate, string decay, string dropout) => $$$"""
        apiVersion: graft.dev/v1alpha1
        kind: FineTuneJob
        metadata:
          name: numbers
        spec:
          suspend: true
          model:
            source: pvc://inputs/model
          data:
            train:
              - source: pvc://inputs/data/train.jsonl
          method:
            lora: {rank: 4, alpha: 8, dropout: {{{dropout}}}}
          training:
            duration: {steps: 4}
            learningRate: {{{rate}}}
            optimizer: {adamw: {weightDecay: {{{decay}}}}}
          output:
            pvc: {claimName: adapters}
        """;

    [SkippableTheory]
    [MemberData(nameof(Versions))]
    public async Task Applying_a_number_twice_makes_no_difference_on_either_side(string version)
    {
        using var kubectl = KubectlProgram.Of(version, Api.Kubeconfig, Space.Name);
        string[] sameNumbers =
        [
            kubectl.File(Manifest("2e-4", "0.0002", "0")),
            kubectl.File(Manifest("0.0002", "2e-4", "0.0")),
            kubectl.File(Manifest("2.0e-4", "0.00020", "0e0")),
        ];

        await kubectl.RunAsync("apply", "-f", sameNumbers[0]);
        foreach (var same in sameNumbers) Assert.Equal("", await kubectl.RunAsync("diff", "-f", same));
        await kubectl.RunAsync("apply", "--server-side", "--force-conflicts", "-f", sameNumbers[0]);
        foreach (var same in sameNumbers)
            Assert.Equal("", await kubectl.RunAsync("diff", "--server-side", "--force-conflicts", "-f", same));

        // What may change is a difference, so an empty answer above means something.
        var changed = Manifest("2e-4", "0.0002", "0").Replace("suspend: true", "suspend: false", StringComparison.Ordinal);
        await using var other = await kubectl.TryAsync("diff", "-f", kubectl.File(changed));
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("suspend", other.Output, StringComparison.Ordinal);
    }
}

[Collection(OnEmbedded.Name)]
public sealed class NumberTestsOnEmbedded(EmbeddedCluster cluster) : NumberTests(cluster);

[Collection(OnForeign.Name)]
public sealed class NumberTestsOnForeign(ForeignCluster cluster) : NumberTests(cluster);
