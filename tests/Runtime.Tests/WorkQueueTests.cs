using Microsoft.Extensions.Time.Testing;

namespace Graft.Runtime.Tests;

public sealed class WorkQueueTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_key_waits_once_however_often_it_is_added()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.Add("a");
        queue.Add("a");
        queue.Add("b");
        Assert.Equal(["a", "b"], TakeAll(queue));
    }

    [Fact]
    public void A_key_added_while_it_is_worked_on_comes_again_only_after_that()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.Add("a");
        Assert.True(queue.TryTake(out _));
        queue.Add("a");
        queue.Add("a");
        Assert.False(queue.TryTake(out _));
        queue.Done("a");
        Assert.True(queue.TryTake(out var again));
        Assert.Equal("a", again);
        queue.Done("a");
        Assert.False(queue.TryTake(out _));
    }

    [Fact]
    public async Task No_key_is_worked_on_twice_at_once_by_many_workers()
    {
        using var queue = new WorkQueue<int>(TimeProvider.System);
        var busy = new int[8];
        var (clashes, worked) = (0, 0);
        var workers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    var key = await queue.TakeAsync(CancellationToken.None);
                    if (Interlocked.Increment(ref busy[key]) != 1)
                        Interlocked.Increment(ref clashes);
                    await Task.Yield();
                    Interlocked.Increment(ref worked);
                    Interlocked.Decrement(ref busy[key]);
                    queue.Done(key);
                }
            }
            catch (System.Threading.Channels.ChannelClosedException)
            {
                // Shut down.
            }
        })).ToArray();
        for (var i = 0; i < 20_000; i++)
            queue.Add(i % 8);
        await Eventually.HoldsAsync(() => queue.Depth == 0);
        queue.ShutDown();
        await Task.WhenAll(workers);
        Assert.Equal(0, clashes);
        Assert.InRange(worked, 8, 20_000);
    }

    [Fact]
    public void Delayed_keys_come_in_order_of_their_time_and_the_earliest_wins()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.AddAfter("late", TimeSpan.FromSeconds(30));
        queue.AddAfter("early", TimeSpan.FromSeconds(10));
        queue.AddAfter("late", TimeSpan.FromSeconds(20));
        queue.AddAfter("late", TimeSpan.FromSeconds(25));
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Empty(TakeAll(queue));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(["early"], TakeAll(queue));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(["late"], TakeAll(queue));
        _time.Advance(TimeSpan.FromSeconds(100));
        Assert.Empty(TakeAll(queue));
    }

    [Fact]
    public void A_key_added_at_once_does_not_come_again_for_its_delay()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.AddAfter("a", TimeSpan.FromSeconds(10));
        queue.Add("a");
        Assert.Equal(["a"], TakeAll(queue));
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Empty(TakeAll(queue));
    }

    [Fact]
    public void Failures_back_off_from_5_ms_to_1000_s_and_never_end()
    {
        var backoff = new ItemBackoff<string>();
        var waits = Enumerable.Range(0, 100).Select(_ => backoff.Next("a").TotalMilliseconds).ToArray();
        Assert.Equal([5, 10, 20, 40], waits[..4]);
        Assert.Equal(655_360, waits[17]);
        Assert.All(waits[18..], w => Assert.Equal(1_000_000, w));
        Assert.Equal(5, backoff.Next("b").TotalMilliseconds);
        backoff.Forget("a");
        Assert.Equal(5, backoff.Next("a").TotalMilliseconds);
    }

    [Fact]
    public void A_failed_key_comes_back_after_its_back_off()
    {
        using var queue = new WorkQueue<string>(_time);
        queue.Add("a");
        for (var wait = 5; wait <= 40; wait *= 2)
        {
            Assert.True(queue.TryTake(out var key));
            queue.AddRateLimited(key);
            queue.Done(key);
            _time.Advance(TimeSpan.FromMilliseconds(wait - 1));
            Assert.Equal(0, queue.Depth);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(1, queue.Depth);
        }
    }

    private static List<string> TakeAll(WorkQueue<string> queue)
    {
        var taken = new List<string>();
        while (queue.TryTake(out var key))
        {
            taken.Add(key);
            queue.Done(key);
        }

        return taken;
    }
}
