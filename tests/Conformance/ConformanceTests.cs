using Graft.Conformance.Harness;
using Xunit.Sdk;

namespace Graft.Conformance;

/// <summary>
/// The table of behaviours as tests. There is a class of them for each server; a case is skipped, with the reason, where the server lacks
/// what the trait <c>needs</c> names:
/// <list type="bullet">
/// <item><c>pods</c>: pods that really run an image with a shell.</item>
/// <item><c>node</c>: a node that pods are bound to.</item>
/// </list>
/// </summary>
public abstract class ConformanceTests(Server server)
{
    /// <summary>For what is known not to happen.</summary>
    private static readonly TimeSpan ShortPatience = TimeSpan.FromSeconds(2);

    public static TheoryData<CaseName> Cases => Named(Needs.Nothing);

    public static TheoryData<CaseName> PodCases => Named(Needs.Pods);

    public static TheoryData<CaseName> NodeCases => Named(Needs.Node);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public Task It_behaves(CaseName name) => RunAsync(name, server.Missing);

    [SkippableTheory]
    [Trait("needs", "pods")]
    [MemberData(nameof(PodCases))]
    public Task It_behaves_with_pods(CaseName name) => RunAsync(name, server.MissingForPods);

    [SkippableTheory]
    [Trait("needs", "node")]
    [MemberData(nameof(NodeCases))]
    public Task It_behaves_with_a_node(CaseName name) => RunAsync(name, server.MissingForNode);

    private async Task RunAsync(CaseName name, string? missing)
    {
        Skip.If(missing is not null, missing);
        var found = Table.Find(name);
        var lacks = found.Lacks is not null && server.IsEmbedded;
        await using var space = await Space.CreateAsync(server, lacks ? ShortPatience : Poll.Limit);
        if (!lacks)
        {
            await found.Run(space);
            return;
        }
        // So that the list of what is lacking cannot rot.
        var failure = await Record.ExceptionAsync(() => found.Run(space));
        if (failure is null)
            Assert.Fail($"The embedded server does this now: remove Lacks from the case \"{found.Sentence}\".");
        if (failure is not XunitException)
            throw new InvalidOperationException($"\"{found.Sentence}\" is lacking, but it did not fail by what was observed.", failure);
    }

    private static TheoryData<CaseName> Named(Needs needs)
    {
        var names = new TheoryData<CaseName>();
        foreach (var area in Table.Areas)
        {
            foreach (var found in area.Cases.Where(c => c.Needs == needs))
                names.Add(new CaseName(area.Title, found.Sentence));
        }
        return names;
    }
}

[Collection(OnEmbedded.Name)]
public sealed class ConformanceTestsOnEmbedded(EmbeddedServer server) : ConformanceTests(server);

[Collection(OnForeign.Name)]
public sealed class ConformanceTestsOnForeign(ForeignServer server) : ConformanceTests(server);
