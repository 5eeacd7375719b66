using System.Globalization;
using Graft.Modeling;
using Prometheus;

namespace Graft.Server.Hosting;

/// <summary>
/// What <c>/metrics</c> shows. Names follow vLLM's, with the product's prefix. Every server object has a registry of its own.
/// </summary>
internal sealed class ServerMetrics
{
    private readonly Gauge running;
    private readonly Gauge waiting;
    private readonly Gauge adapters;
    private readonly Gauge adapterLoaded;
    private readonly Counter promptTokens;
    private readonly Counter generationTokens;
    private readonly Counter requests;
    private readonly Counter finished;
    private readonly Histogram firstToken;
    private readonly Histogram latency;

    public ServerMetrics()
    {
        Registry = Metrics.NewCustomRegistry();
        var make = Metrics.WithCustomRegistry(Registry);
        running = make.CreateGauge("graft_num_requests_running", "Prompts that the engine computes now.");
        waiting = make.CreateGauge("graft_num_requests_waiting", "Prompts that wait for a place in the batch.");
        adapters = make.CreateGauge("graft_lora_adapters_loaded", "Adapters that requests can name.");
        adapterLoaded = make.CreateGauge("graft_lora_adapter_loaded", "1 for each adapter that requests can name.", "adapter_name");
        promptTokens = make.CreateCounter("graft_prompt_tokens_total", "Prompt tokens taken in.");
        generationTokens = make.CreateCounter("graft_generation_tokens_total", "Tokens generated.");
        requests = make.CreateCounter("graft_http_requests_total", "HTTP requests answered.", "path", "code");
        finished = make.CreateCounter(
            "graft_request_success_total", "Prompts answered, by why the answer ended.", "model_name", "finished_reason");
        firstToken = make.CreateHistogram(
            "graft_time_to_first_token_seconds", "From the request's arrival to its first token.", Buckets(0.005));
        latency = make.CreateHistogram(
            "graft_e2e_request_latency_seconds", "From the request's arrival to its last token.", Buckets(0.01));
    }

    public CollectorRegistry Registry { get; }

    public void Queue(int nowRunning, int nowWaiting)
    {
        running.Set(nowRunning);
        waiting.Set(nowWaiting);
    }

    public void FirstToken(TimeSpan sinceArrival, int promptLength)
    {
        firstToken.Observe(sinceArrival.TotalSeconds);
        promptTokens.Inc(promptLength);
    }

    public void GeneratedToken() => generationTokens.Inc();

    public void Answered(string model, FinishReason reason, TimeSpan sinceArrival)
    {
        finished.WithLabels(model, reason == FinishReason.Stop ? "stop" : "length").Inc();
        latency.Observe(sinceArrival.TotalSeconds);
    }

    /// <param name="route">The route's pattern, never the path that was asked for: its values must stay few.</param>
    public void Request(string route, int code) => requests.WithLabels(route, code.ToString(CultureInfo.InvariantCulture)).Inc();

    public void AdapterLoaded(string name, int count)
    {
        adapterLoaded.WithLabels(name).Set(1);
        adapters.Set(count);
    }

    public void AdapterUnloaded(string name, int count)
    {
        adapterLoaded.RemoveLabelled(name);
        adapters.Set(count);
    }

    private static HistogramConfiguration Buckets(double first) => new() { Buckets = Histogram.ExponentialBuckets(first, 2, 15) };
}
