using System.Globalization;
using Graft.Contract;

namespace Graft.Trainer.Reporting;

/// <summary>What a run says: a bar that redraws itself where a person looks on, else one line of key=value a while for logs.</summary>
internal sealed class RunLog(TextWriter output, bool terminal, TimeProvider time)
{
    private const int BarWidth = 28;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100);
    private long last;
    private bool barShown;

    public static RunLog ForConsole(TimeProvider time) => new(Console.Out, !Console.IsOutputRedirected, time);

    /// <summary>For verbs whose output is their result.</summary>
    public static RunLog ForErrors(TimeProvider time) => new(Console.Error, !Console.IsErrorRedirected, time);

    public void Say(string line)
    {
        EndBar();
        output.WriteLine(line);
        output.Flush();
    }

    public void Phase(TrainerPhase phase, string detail) =>
        Say(terminal
            ? $"{Words(phase)}{(detail.Length > 0 ? ": " + detail : "")}"
            : $"phase={phase}{(detail.Length > 0 ? $" detail=\"{detail}\"" : "")}");

    /// <summary>After every step; it decides itself whether there is something to show.</summary>
    public void Step(Progress progress)
    {
        var every = Math.Max(1, progress.Steps / 20);
        var since = last == 0 ? TimeSpan.MaxValue : time.GetElapsedTime(last);
        var due = progress.Step == progress.Steps
            || (terminal ? since >= Redraw : progress.Step == 1 || progress.Step % every == 0 || since >= Interval);
        if (!due) return;
        last = time.GetTimestamp();
        if (terminal) Bar(progress);
        else Say(Line(progress));
    }

    /// <summary>Often; it decides itself whether there is something to show.</summary>
    public void Download(DownloadProgress download)
    {
        if (last != 0 && time.GetElapsedTime(last) < (terminal ? Redraw : Interval)) return;
        last = time.GetTimestamp();
        if (!terminal)
        {
            Say(string.Create(CultureInfo.InvariantCulture,
                $"fetched_bytes={download.Bytes} total_bytes={download.TotalBytes}{(download.Waits ? " waits_for=another-process" : "")}"));
            return;
        }
        output.Write($"\r{download.Source}: {download} \e[K");
        output.Flush();
        barShown = true;
    }

    private static string Line(Progress p) => string.Create(CultureInfo.InvariantCulture,
        $"step={p.Step} steps={p.Steps} loss={p.Loss:f4} learning_rate={p.LearningRate:g4} "
        + $"tokens_per_s={p.TokensPerSecond ?? 0:f0} eta_s={p.RemainingSeconds ?? 0:f0}");

    private void Bar(Progress p)
    {
        var done = p.Steps == 0 ? 0 : BarWidth * p.Step / p.Steps;
        var eta = TimeSpan.FromSeconds(p.RemainingSeconds ?? 0);
        output.Write(string.Create(CultureInfo.InvariantCulture,
            $"\r[{new string('#', done)}{new string('.', BarWidth - done)}] step {p.Step}/{p.Steps}  "
            + $"loss {p.Loss:f4}  {p.TokensPerSecond ?? 0:f0} tokens/s  {Short(eta)} left \e[K"));
        output.Flush();
        barShown = true;
        if (p.Step == p.Steps) EndBar();
    }

    private void EndBar()
    {
        if (!barShown) return;
        output.WriteLine();
        barShown = false;
    }

    private static string Short(TimeSpan t) =>
        t.TotalHours >= 1 ? $"{(int)t.TotalHours}h{t.Minutes:00}m" : t.TotalMinutes >= 1 ? $"{t.Minutes}m{t.Seconds:00}s" : $"{t.Seconds}s";

    private static string Words(TrainerPhase phase) => phase switch
    {
        TrainerPhase.Fetching => "Fetching",
        TrainerPhase.LoadingModel => "Loading the model",
        TrainerPhase.LoadingData => "Reading the data",
        TrainerPhase.EvaluatingBase => "Evaluating the base model",
        TrainerPhase.Evaluating => "Evaluating",
        _ => phase.ToString(),
    };
}
