namespace Graft.LocalCluster;

/// <summary>
/// Plans for a gate, made of what was recorded in a run without faults: one plan for each thing that may go wrong with each request and
/// event, as Sieve does it (Sun et al., OSDI 2022). A run under a plan is judged by the end of the run without one.
/// </summary>
public static class FaultSweep
{
    private static readonly TimeSpan Halt = TimeSpan.FromMilliseconds(400);

    /// <param name="recorded">What <see cref="FaultInjector.Recorded"/> says; leave out who or what is not to be disturbed.</param>
    public static IEnumerable<FaultPlan> Of(IEnumerable<RecordedRequest> recorded) =>
        from one in recorded
        from fault in FaultsOf(one)
        select new FaultPlan([new FiredFault(0, Words(fault), one.Request, one.Count, fault).ToRule()]);

    private static IEnumerable<Fault> FaultsOf(RecordedRequest recorded) => recorded.Request.Verb switch
    {
        _ when recorded.Committed =>
        [
            new Fault.Crash(),
            new Fault.Reset(AfterCommit: true),
            new Fault.Reset(),
            new Fault.Status(409),
            new Fault.Status(429),
            new Fault.Status(500),
            new Fault.Status(500, AfterCommit: true),
            new Fault.Status(503),
            new Fault.Jump(TimeSpan.FromHours(1)),
            new Fault.Jump(TimeSpan.FromHours(-1)),
        ],
        "get" => [new Fault.Stale(Versions: 5, Always: true), new Fault.Status(503)],
        "list" => [new Fault.Stale(Versions: 5, Always: true), new Fault.Status(429), new Fault.Status(500), new Fault.Expire()],
        "watch" => [new Fault.Cut(1), new Fault.Cut(1, MidLine: true), new Fault.Expire(), new Fault.Expire(1), new Fault.Status(503)],
        "event" => [new Fault.Withhold(Halt), new Fault.Coalesce(Halt)],
        _ => [],
    };

    private static string Words(Fault fault) => fault switch
    {
        Fault.Crash => "crash after the write",
        Fault.Reset { AfterCommit: true } => "the answer to the write is lost",
        Fault.Reset => "the write is lost",
        Fault.Status { AfterCommit: true } status => $"{status.Code} for a write that was done",
        Fault.Status status => $"{status.Code}",
        Fault.Jump jump => jump.By > TimeSpan.Zero ? "the clock jumps forwards" : "the clock jumps backwards",
        Fault.Stale => "a stale read",
        Fault.Cut { MidLine: true } => "the watch breaks",
        Fault.Cut => "the watch ends",
        Fault.Expire { AfterEvents: null } => "410",
        Fault.Expire => "410 within the watch",
        Fault.Withhold => "the event comes late",
        _ => "the events are coalesced",
    };
}
