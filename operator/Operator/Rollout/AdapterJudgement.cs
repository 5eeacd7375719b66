using Graft.Contract;
using Graft.Operator.Api;
using Graft.Operator.FineTuning;

namespace Graft.Operator.Rollout;

/// <summary>Whether the engine will serve what a run made, judged by the facts in the run's status before any pod is asked. Pure.</summary>
internal static class AdapterJudgement
{
    /// <returns>Every reason why not, a sentence each; none where it will, or where nothing is known of the artifact.</returns>
    public static IReadOnlyList<string> Reasons(EngineSpec engine, ArtifactStatus artifact) =>
        EngineOf(engine) is { } serving && ArtifactFacts.Of(artifact) is { } facts
            ? AdapterVerdicts.Judge(facts, FormatOf(facts), new ServingLimits(serving)).Reasons
            : [];

    private static ServingEngine? EngineOf(EngineSpec engine) => engine.Graft is null ? null : ServingEngine.Graft;

    // The one method whose folders PEFT has no form for.
    private static AdapterFormat FormatOf(AdapterFacts facts) =>
        facts.Method == "bottleneck" ? AdapterFormat.AdapterHub : AdapterFormat.Peft;
}
