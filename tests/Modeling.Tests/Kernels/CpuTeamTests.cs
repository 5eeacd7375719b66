using Graft.Modeling.Kernels;
using TorchSharp;

namespace Graft.Modeling.Tests.Kernels;

/// <summary>Threads that share work, and how many they are.</summary>
[Collection(TorchCollection.Name)]
public sealed class CpuTeamTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly int threads = torch.get_num_threads();

    public void Dispose() => torch.set_num_threads(threads);

    [Fact]
    public void A_team_does_every_piece_once()
    {
        foreach (var pieces in new[] { 0, 1, 2, 7, 1000 })
        {
            var done = new int[pieces];
            for (var round = 0; round < 50; round++) CpuTeam.Shared.Run(pieces, i => Interlocked.Increment(ref done[i]));
            Assert.All(done, d => Assert.Equal(50, d));
        }
    }

    [Fact]
    public void A_team_that_several_threads_ask_at_once_does_every_piece_of_each_once_before_it_returns()
    {
        torch.set_num_threads(Math.Max(2, threads));
        var (faults, callers) = (0, new List<Thread>());
        using var together = new Barrier(4);
        for (var c = 0; c < 4; c++)
        {
            var caller = new Thread(() =>
            {
                // Torch counts its threads for each thread that asks.
                torch.set_num_threads(2);
                together.SignalAndWait();
                for (var round = 0; round < 2000; round++)
                {
                    var done = new int[1 + round % 37];
                    CpuTeam.Shared.Run(done.Length, i => Interlocked.Increment(ref done[i]));
                    if (Array.Exists(done, d => d != 1)) Interlocked.Increment(ref faults);
                }
            });
            callers.Add(caller);
            caller.Start();
        }
        Assert.All(callers, c => Assert.True(c.Join(Patience), "a caller still waits for its team"));
        Assert.Equal(0, faults);
    }

    [SkippableFact]
    public void Helpers_that_sleep_are_woken_for_the_next_work()
    {
        Skip.If(Environment.ProcessorCount < 2, "one processor has no helpers");
        torch.set_num_threads(2);
        for (var round = 0; round < 10; round++)
        {
            // Longer than a helper looks out for work, and than the caller works alone after it has waited for one.
            Thread.Sleep(80);
            using var other = new ManualResetEventSlim();
            var helped = true;
            // Neither piece ends before the other has begun, on another thread.
            CpuTeam.Shared.Run(2, new Meeting(other, () => helped = false).Join);
            Assert.True(helped, $"nobody came in round {round}");
        }
    }

    [Fact]
    public void Long_work_is_cut_into_as_many_pieces_as_torch_has_threads()
    {
        foreach (var count in new[] { 1, 2, 3 })
        {
            torch.set_num_threads(count);
            var (pieces, rows) = (0, 0L);
            RowSplit.Run(1000, 1000, (first, end) =>
            {
                Interlocked.Increment(ref pieces);
                Interlocked.Add(ref rows, end - first);
            });
            Assert.Equal((count, 1000), (pieces, rows));
        }
    }

    private sealed class Meeting(ManualResetEventSlim both, Action missed)
    {
        private int here;

        public void Join(int piece)
        {
            if (Interlocked.Increment(ref here) == 2) both.Set();
            else if (!both.Wait(Patience)) missed();
        }
    }
}
