using System.Globalization;
using Prometheus;

namespace Graft.Runtime;

/// <summary>
/// The metrics that dashboards for controller-runtime expect, by its names, labels and buckets, in the registry of the caller.
/// Construct it once per registry.
/// </summary>
public sealed class ControllerMetrics
{
    private static readonly double[] ReconcileBuckets =
    [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5,
        1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
    ];

    private static readonly string[] QueueLabels = ["name", "controller"];

    public ControllerMetrics(CollectorRegistry registry)
    {
        Registry = registry;
        var metrics = Metrics.WithCustomRegistry(registry);
        ReconcileTotal = metrics.CreateCounter(
            "controller_runtime_reconcile_total", "Reconciliations by controller and result.", "controller", "result");
        ReconcileErrors = metrics.CreateCounter("controller_runtime_reconcile_errors_total", "Failed reconciliations.", "controller");
        TerminalErrors = metrics.CreateCounter(
            "controller_runtime_terminal_reconcile_errors_total", "Reconciliations that failed for good.", "controller");
        ReconcilePanics = metrics.CreateCounter(
            "controller_runtime_reconcile_panics_total", "Unexpected failures that ended no process. Always 0: any exception is an error.", "controller");
        ReconcileTimeouts = metrics.CreateCounter("controller_runtime_reconcile_timeouts_total", "Reconciliations that took too long.", "controller");
        ReconcileTime = metrics.CreateHistogram(
            "controller_runtime_reconcile_time_seconds", "Length of a reconciliation.", ["controller"],
            new HistogramConfiguration { Buckets = ReconcileBuckets });
        MaxConcurrent = metrics.CreateGauge("controller_runtime_max_concurrent_reconciles", "Workers of a controller.", "controller");
        ActiveWorkers = metrics.CreateGauge("controller_runtime_active_workers", "Workers that are busy.", "controller");

        var queueTimes = new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(10e-9, 10, 12) };
        QueueDepth = metrics.CreateGauge("workqueue_depth", "Keys that wait to be worked on.", "name", "controller", "priority");
        QueueAdds = metrics.CreateCounter("workqueue_adds_total", "Keys added.", QueueLabels);
        QueueDuration = metrics.CreateHistogram("workqueue_queue_duration_seconds", "How long keys wait.", QueueLabels, queueTimes);
        WorkDuration = metrics.CreateHistogram("workqueue_work_duration_seconds", "How long keys are worked on.", QueueLabels, queueTimes);
        Unfinished = metrics.CreateGauge("workqueue_unfinished_work_seconds", "Time spent so far on keys being worked on.", QueueLabels);
        LongestRunning = metrics.CreateGauge(
            "workqueue_longest_running_processor_seconds", "Time spent so far on the key being worked on longest.", QueueLabels);
        Retries = metrics.CreateCounter("workqueue_retries_total", "Keys added again after a failure.", QueueLabels);
        MasterStatus = metrics.CreateGauge("leader_election_master_status", "Whether this process leads.", "name");
        Requests = metrics.CreateCounter("rest_client_requests_total", "Requests to the API server.", "code", "method", "host");
    }

    public CollectorRegistry Registry { get; }

    internal Counter ReconcileTotal { get; }

    internal Counter ReconcileErrors { get; }

    internal Counter TerminalErrors { get; }

    internal Counter ReconcilePanics { get; }

    internal Counter ReconcileTimeouts { get; }

    internal Histogram ReconcileTime { get; }

    internal Gauge MaxConcurrent { get; }

    internal Gauge ActiveWorkers { get; }

    internal Gauge QueueDepth { get; }

    internal Counter QueueAdds { get; }

    internal Histogram QueueDuration { get; }

    internal Histogram WorkDuration { get; }

    internal Gauge Unfinished { get; }

    internal Gauge LongestRunning { get; }

    internal Counter Retries { get; }

    internal Gauge MasterStatus { get; }

    internal Counter Requests { get; }

    /// <summary>A handler for <see cref="ApiClient"/> that counts its requests.</summary>
    public DelegatingHandler RequestCounter() => new CountingHandler(Requests);

    internal ControllerObserver ForController(string name, int workers)
    {
        MaxConcurrent.WithLabels(name).Set(workers);
        ReconcilePanics.WithLabels(name);
        return new ControllerObserver(this, name);
    }

    private sealed class CountingHandler(Counter requests) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var code = "<error>";
            try
            {
                var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                code = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
                return response;
            }
            finally
            {
                requests.WithLabels(code, request.Method.Method, request.RequestUri!.Authority).Inc();
            }
        }
    }
}

/// <summary>What one controller and its queue report.</summary>
internal sealed class ControllerObserver(ControllerMetrics metrics, string name) : IWorkQueueObserver<ObjectKey>
{
    // One priority only; the label is there because dashboards sum over it.
    private readonly Gauge.Child _depth = metrics.QueueDepth.WithLabels(name, name, "0");

    public void Observe(WorkQueue<ObjectKey> queue) => metrics.Registry.AddBeforeCollectCallback(() =>
    {
        var (longest, sum) = queue.Unfinished();
        metrics.Unfinished.WithLabels(name, name).Set(sum.TotalSeconds);
        metrics.LongestRunning.WithLabels(name, name).Set(longest.TotalSeconds);
    });

    public void Added(int depth)
    {
        metrics.QueueAdds.WithLabels(name, name).Inc();
        _depth.Set(depth);
    }

    public void Taken(ObjectKey key, TimeSpan waited, int depth)
    {
        metrics.QueueDuration.WithLabels(name, name).Observe(waited.TotalSeconds);
        _depth.Set(depth);
    }

    public void Finished(ObjectKey key, TimeSpan worked) => metrics.WorkDuration.WithLabels(name, name).Observe(worked.TotalSeconds);

    public void Retried() => metrics.Retries.WithLabels(name, name).Inc();

    public void Started() => metrics.ActiveWorkers.WithLabels(name).Inc();

    public void Ended(TimeSpan took)
    {
        metrics.ActiveWorkers.WithLabels(name).Dec();
        metrics.ReconcileTime.WithLabels(name).Observe(took.TotalSeconds);
    }

    public void Succeeded(bool requeueAfter) => metrics.ReconcileTotal.WithLabels(name, requeueAfter ? "requeue_after" : "success").Inc();

    public void Failed()
    {
        metrics.ReconcileErrors.WithLabels(name).Inc();
        metrics.ReconcileTotal.WithLabels(name, "error").Inc();
    }

    public void TerminalError()
    {
        metrics.TerminalErrors.WithLabels(name).Inc();
        Failed();
    }

    public void TimedOut() => metrics.ReconcileTimeouts.WithLabels(name).Inc();
}
