using System.Diagnostics;
using TorchSharp;

namespace Graft.Modeling.Kernels;

/// <summary>
/// Threads that share a piece of work of some microseconds, as one token's way through a layer is. They look out for the next one
/// for a while before they sleep: waking a sleeping thread would take longer than the work. Pieces are taken from a counter, so that a
/// thread which the system holds up leaves its share to the others.
/// </summary>
internal sealed class CpuTeam
{
    private static readonly long Patience = Stopwatch.Frequency / 5000;     // 0.2 ms
    private static readonly long LongWait = Stopwatch.Frequency / 10_000, LongestPause = Stopwatch.Frequency / 20;      // 0.1 and 50 ms
    private readonly Lock turn = new();
    private readonly Helper[] helpers;
    private Job? current;
    private long pause, aloneUntil;

    private CpuTeam(int helpers) => this.helpers = [.. Enumerable.Range(0, helpers).Select(i => new Helper(this, i))];

    /// <summary>One for the process, as its processors are; it starts no thread before the first work.</summary>
    public static CpuTeam Shared { get; } = new(Environment.ProcessorCount - 1);

    /// <summary>Does pieces 0 to <paramref name="pieces"/> - 1, on as many threads as torch may use.</summary>
    /// <param name="work">May not throw.</param>
    public void Run(int pieces, Action<int> work)
    {
        var threads = Math.Min(Math.Min(pieces, helpers.Length + 1), torch.get_num_threads());
        // Whoever finds the team at work for somebody else does not wait for it.
        if (threads <= 1 || Stopwatch.GetTimestamp() < Volatile.Read(ref aloneUntil) || !turn.TryEnter())
        {
            for (var i = 0; i < pieces; i++) work(i);
            return;
        }
        try
        {
            var job = new Job(pieces, work, threads - 1);
            Interlocked.Exchange(ref current, job);
            for (var i = 0; i < threads - 1; i++) helpers[i].Wake();
            var start = Stopwatch.GetTimestamp();
            job.Help();
            var finished = Stopwatch.GetTimestamp();
            for (var spin = new SpinWait(); !job.Done; spin.SpinOnce(sleep1Threshold: -1)) { }
            Judge(finished - start, Stopwatch.GetTimestamp() - finished);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>
    /// Where other programs want the processors too, the system stops a helper in the middle of its piece, and all wait for it. Then
    /// one thread is faster for a while, and for longer each time that this happens again.
    /// </summary>
    private void Judge(long worked, long waited)
    {
        if (waited < LongWait || waited < worked)
        {
            pause -= pause / 64;
            return;
        }
        pause = Math.Min(LongestPause, Math.Max(waited, 2 * pause));
        Volatile.Write(ref aloneUntil, Stopwatch.GetTimestamp() + pause);
    }

    private sealed class Job(int pieces, Action<int> work, int helpers)
    {
        private int next, finished;

        public bool Done => Volatile.Read(ref finished) == pieces;

        public bool Invites(int helper) => helper < helpers;

        public void Help()
        {
            for (int i; (i = Interlocked.Increment(ref next) - 1) < pieces; Interlocked.Increment(ref finished)) work(i);
        }
    }

    private sealed class Helper(CpuTeam team, int index)
    {
        private readonly object bell = new();
        private Thread? thread;
        private int sleeps;

        /// <summary>By the one whose turn it is.</summary>
        public void Wake()
        {
            if (thread is null)
            {
                thread = new Thread(Watch) { IsBackground = true, Name = $"kernels {index + 1}" };
                thread.Start();
            }
            else if (Volatile.Read(ref sleeps) == 1)
                lock (bell) Monitor.Pulse(bell);
        }

        private void Watch()
        {
            for (Job? seen = null; ; )
            {
                var job = Await(seen);
                seen = job;
                if (job.Invites(index)) job.Help();
            }
        }

        private Job Await(Job? seen)
        {
            var since = Stopwatch.GetTimestamp();
            do
            {
                if (Volatile.Read(ref team.current) is { } job && !ReferenceEquals(job, seen)) return job;
                Thread.SpinWait(10);
            }
            while (Stopwatch.GetTimestamp() - since < Patience);
            lock (bell)
            {
                Interlocked.Exchange(ref sleeps, 1);
                // Looked at again, because a job may have come before anybody could see that this thread sleeps.
                while (ReferenceEquals(Volatile.Read(ref team.current), seen)) Monitor.Wait(bell);
                Interlocked.Exchange(ref sleeps, 0);
                return team.current!;
            }
        }
    }
}
