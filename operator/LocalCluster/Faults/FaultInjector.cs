using Graft.LocalCluster.Faults;

namespace Graft.LocalCluster;

/// <summary>
/// The faults of one embedded cluster: its plan, which may be changed at any time, and what came of it. Make one, give it to
/// <see cref="LocalClusterOptions.Faults"/>, and keep it. May be used from any thread.
/// </summary>
public sealed class FaultInjector
{
    private readonly Lock _gate = new();
    private readonly List<FiredFault> _fired = [];
    private readonly List<RecordedRequest> _recorded = [];
    private FaultPlan _plan;
    private FaultDecisions _decisions;
    private TaskCompletionSource _planEnds = NewEnd();
    private ShiftedTime? _time;

    public FaultInjector(FaultPlan? plan = null)
    {
        _plan = plan ?? FaultPlan.Empty;
        _decisions = new FaultDecisions(_plan);
    }

    /// <summary>Keep a record of every request and event, for a <see cref="FaultSweep"/>.</summary>
    public bool Records { get; init; }

    /// <summary>Told of every fault when it happens; must return at once, and may be called in parallel.</summary>
    public Action<FiredFault>? Happened { get; init; }

    /// <summary>
    /// Called when a write is committed that a <see cref="Fault.Crash"/> waits for, before its client could hear of it. The client gets
    /// no answer in any case, when this has ended.
    /// </summary>
    public Func<FiredFault, CancellationToken, Task>? Crashing { get; init; }

    public FaultPlan Plan
    {
        get
        {
            lock (_gate)
                return _plan;
        }
    }

    /// <summary>What has happened since the plan began.</summary>
    public IReadOnlyList<FiredFault> Fired
    {
        get
        {
            lock (_gate)
                return [.. _fired];
        }
    }

    /// <summary>Requests and events since the plan began, if they are recorded.</summary>
    public IReadOnlyList<RecordedRequest> Recorded
    {
        get
        {
            lock (_gate)
                return [.. _recorded];
        }
    }

    /// <summary>The cluster's clock, as plans have set it; null before a cluster has taken the injector.</summary>
    public TimeProvider? Time => _time;

    /// <summary>The plan that makes happen again what has happened.</summary>
    public FaultPlan Replay() => FiredFault.Replay(Fired);

    /// <summary>
    /// Begins another plan: every count starts anew, and events that are withheld are told. Watches that are open keep what was decided
    /// when they began, and their events follow the new plan.
    /// </summary>
    public void Begin(FaultPlan plan)
    {
        TaskCompletionSource ended;
        lock (_gate)
        {
            (_plan, _decisions) = (plan, new FaultDecisions(plan));
            _fired.Clear();
            _recorded.Clear();
            (ended, _planEnds) = (_planEnds, NewEnd());
        }
        ended.SetResult();
    }

    internal bool IsIdle
    {
        get
        {
            lock (_gate)
                return !Records && _plan.Rules.Count == 0;
        }
    }

    /// <summary>Takes the place of a cluster's clock.</summary>
    internal TimeProvider Over(TimeProvider time) => _time = new ShiftedTime(time);

    internal void Jump(TimeSpan by) => _time?.Shift(by);

    private static TaskCompletionSource NewEnd() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal FaultDecision Decide(FaultRequest request) => Decide(request, out _);

    /// <param name="planEnds">Ends with the plan that has decided, even if another begins before this returns.</param>
    internal FaultDecision Decide(FaultRequest request, out Task planEnds)
    {
        lock (_gate)
        {
            planEnds = _planEnds.Task;
            return _decisions.Next(request);
        }
    }

    internal FiredFault Fire(FaultDecision decision, Fault? resolved = null)
    {
        FiredFault fired;
        lock (_gate)
        {
            fired = new FiredFault(
                _fired.Count + 1, decision.Rule!.Name, decision.Request, decision.Count, resolved ?? decision.Fault!);
            _fired.Add(fired);
        }
        Happened?.Invoke(fired);
        return fired;
    }

    internal void Record(FaultDecision decision, bool committed)
    {
        if (!Records)
            return;
        lock (_gate)
            _recorded.Add(new RecordedRequest(decision.Request, decision.Count, committed));
    }
}
