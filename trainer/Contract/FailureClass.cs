namespace Graft.Contract;

/// <summary>Why a run failed, by who can mend it. It decides whether another attempt makes sense.</summary>
public enum FailureClass
{
    /// <summary>A bug, or something nobody foresaw.</summary>
    Internal,

    /// <summary><c>job.json</c> is wrong.</summary>
    InvalidJob,

    /// <summary>The base model cannot be read, or does not fit what is asked of it.</summary>
    ModelError,

    /// <summary>The dataset cannot be read, or holds nothing to learn from.</summary>
    DataError,

    /// <summary>The artifact cannot be written: disk full, read-only, no permission.</summary>
    OutputError,

    /// <summary>The loss is no longer a finite number.</summary>
    Diverged,

    /// <summary>Host or device memory ran out.</summary>
    OutOfMemory,

    /// <summary>Told to stop (SIGTERM): preemption, eviction, node drain.</summary>
    Interrupted,

    /// <summary>The machine is at fault: a port in use, a device that fell off.</summary>
    Infrastructure,
}

/// <summary>Exit codes of <c>graft-trainer</c>; scripts and the Job's podFailurePolicy rely on them.</summary>
public static class ExitCodes
{
    public const int Success = 0;

    /// <summary>Of <c>inspect</c>: an engine that was asked for will not serve what was inspected.</summary>
    public const int NotServed = 9;

    /// <summary>Killed by signal 9 as the kernel and Kubernetes report it: out of memory, or a node that went away.</summary>
    public const int Killed = 137;

    private static readonly Dictionary<FailureClass, int> Codes = new()
    {
        [FailureClass.Internal] = 1,
        [FailureClass.InvalidJob] = 2,
        [FailureClass.DataError] = 3,
        [FailureClass.ModelError] = 4,
        [FailureClass.OutOfMemory] = 5,
        [FailureClass.OutputError] = 6,
        [FailureClass.Diverged] = 7,
        [FailureClass.Infrastructure] = 8,
        [FailureClass.Interrupted] = 75,
    };

    public static int Of(FailureClass failure) => Codes[failure];

    /// <summary>The class behind an exit code, for a pod that left no readable termination message.</summary>
    public static FailureClass ClassOf(int exitCode) => exitCode switch
    {
        Killed => FailureClass.Infrastructure,
        143 => FailureClass.Interrupted,
        _ => Codes.FirstOrDefault(c => c.Value == exitCode, new(FailureClass.Internal, 1)).Key,
    };

    /// <summary>Whether the same job may succeed when it is started again unchanged. A person's error never does.</summary>
    public static bool IsRetryable(FailureClass failure) =>
        failure is FailureClass.Internal or FailureClass.OutOfMemory or FailureClass.Interrupted or FailureClass.Infrastructure;
}
