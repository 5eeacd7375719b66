using Graft.Modeling;
using Graft.Server.Engine;
using Graft.Server.Hosting;
using Graft.Server.Protocol;
using Graft.Server.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graft.Server.Tests;

public sealed class EngineTests : IDisposable
{
    private readonly FakeModel model = new() { Poison = "poison" };
    private readonly InferenceEngine engine;

    public EngineTests()
    {
        engine = new InferenceEngine(
            () => model, new EngineLimits(MaxSequences: 2, MaxWaiting: 2), new ServerMetrics(), TimeProvider.System,
            NullLogger<InferenceEngine>.Instance);
        engine.Start();
    }

    public void Dispose()
    {
        model.Gate.Set();
        engine.Dispose();
    }

    [Fact]
    public async Task Sequences_join_and_leave_the_batch_between_steps()
    {
        Hold();
        var (longer, shorter, last) = (Make("abcd", maxTokens: 6), Make("b", maxTokens: 3), Make("c", maxTokens: 2));
        Assert.True(engine.TrySubmit([longer, shorter, last]));
        model.Gate.Set();

        await Task.WhenAll(Read(longer), Read(shorter), Read(last));

        string[][] expected = [["abcd", "b"], ["abcd", "b"], ["abcd", "b"], ["abcd", "c"], ["abcd", "c"], ["abcd"]];
        Assert.Equal(expected, await engine.InvokeAsync(_ => model.Batches.ToArray()));
        Assert.Equal(0, await engine.InvokeAsync(_ => model.OpenAnswers));
    }

    [Fact]
    public async Task A_cancelled_sequence_gives_up_its_place_and_the_others_go_on()
    {
        model.Gate.Reset();
        using var cancel = new CancellationTokenSource();
        var (gone, stays) = (Make("gone", cancel: cancel.Token), Make("stays"));
        Assert.True(engine.TrySubmit([gone, stays]));
        await cancel.CancelAsync();
        model.Gate.Set();

        Assert.Equal("base:stays", await Read(stays));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Read(gone));
        Assert.Equal(0, await engine.InvokeAsync(_ => model.OpenAnswers));
    }

    [Fact]
    public async Task A_step_that_fails_ends_its_sequences_and_the_engine_goes_on()
    {
        var poison = Make("poison");
        Assert.True(engine.TrySubmit([poison]));

        var error = await Assert.ThrowsAsync<ApiException>(() => Read(poison));
        Assert.Equal(500, error.Code);
        Assert.DoesNotContain("poison", error.Message, StringComparison.Ordinal);

        var next = Make("x");
        Assert.True(engine.TrySubmit([next]));
        Assert.Equal("base:x", await Read(next));
    }

    [Fact]
    public async Task The_queue_takes_all_of_a_request_or_none_of_it()
    {
        model.Gate.Reset();
        Sequence[] first = [Make("1"), Make("2"), Make("3")];
        Assert.True(engine.TrySubmit(first));

        Assert.False(engine.TrySubmit([Make("4"), Make("5")]));
        Assert.True(engine.TrySubmit([Make("4")]));
        Assert.False(engine.TrySubmit([Make("5")]));

        model.Gate.Set();
        foreach (var sequence in first) await Read(sequence);
        Assert.True(engine.TrySubmit([Make("6"), Make("7"), Make("8")]));
    }

    [Fact]
    public async Task Stopping_tells_everyone_who_still_waits()
    {
        model.Gate.Reset();
        Sequence[] sequences = [Make("1"), Make("2"), Make("3")];
        Assert.True(engine.TrySubmit(sequences));
        engine.Stop();
        model.Gate.Set();

        foreach (var sequence in sequences) Assert.Equal(503, (await Assert.ThrowsAsync<ApiException>(() => Read(sequence))).Code);
        var late = Make("late");
        Assert.True(engine.TrySubmit([late]));
        Assert.Equal(503, (await Assert.ThrowsAsync<ApiException>(() => Read(late))).Code);
        await Assert.ThrowsAsync<ApiException>(() => engine.InvokeAsync(_ => 1));
        await engine.Stopped.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(model.IsDisposed);
    }

    [Fact]
    public async Task A_model_that_does_not_load_fails_what_waits_for_it()
    {
        using var broken = new InferenceEngine(
            () => throw new ModelFormatException("/models/x", "no weights"), new EngineLimits(), new ServerMetrics(), TimeProvider.System,
            NullLogger<InferenceEngine>.Instance);
        Assert.Equal(503, Assert.Throws<ApiException>(() => broken.Facts).Code);
        var early = broken.InvokeAsync(_ => 1);

        broken.Start();

        await Assert.ThrowsAsync<ModelFormatException>(() => broken.Loaded);
        await Assert.ThrowsAsync<ApiException>(() => early);
    }

    /// <summary>Until the gate opens the engine takes in what is submitted and does nothing with it.</summary>
    private void Hold()
    {
        model.Gate.Reset();
        _ = engine.InvokeAsync(_ => model.Gate.Wait(TimeSpan.FromSeconds(30)));
    }

    private static Sequence Make(string prompt, int maxTokens = 50, CancellationToken cancel = default) => new(
        "base", new ByteTokenizer().Encode(prompt), new SamplingOptions(MaxTokens: maxTokens), lease: null, arrival: 0, cancel);

    private static async Task<string> Read(Sequence sequence)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var text = "";
        await foreach (var piece in sequence.Pieces.ReadAllAsync(deadline.Token)) text += piece.Text;
        return text;
    }
}
