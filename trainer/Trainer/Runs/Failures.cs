using System.Runtime.InteropServices;
using Graft.Contract;
using Graft.Modeling;

namespace Graft.Trainer.Runs;

/// <summary>Which class an exception belongs to: by who can mend it.</summary>
internal static class Failures
{
    public static Failure Of(Exception exception, int step) => exception switch
    {
        RunFailedException known => new Failure(known.Class, known.Message, step),
        OperationCanceledException => new Failure(FailureClass.Interrupted, $"told to stop after {step} steps; start the job again", step),
        ModelFormatException model => new Failure(FailureClass.ModelError, model.Message, step),
        ChatTemplateException template => new Failure(FailureClass.ModelError, $"the model's chat template: {template.Message}", step),
        TuningException tuning => new Failure(FailureClass.InvalidJob, tuning.Message, step),
        TorchRuntimeException torch => new Failure(FailureClass.Infrastructure, torch.Message, step),
        _ when IsOutOfMemory(exception) => new Failure(FailureClass.OutOfMemory,
            $"memory ran out: lower training.microBatchSize or data.maxLength, or give the run more ({FirstLine(exception)})", step),
        IOException or UnauthorizedAccessException => new Failure(FailureClass.Infrastructure, exception.Message, step),
        _ => new Failure(FailureClass.Internal, $"{exception.GetType().Name}: {FirstLine(exception)}", step),
    };

    /// <summary>Whether a person needs the stack trace: only of what nobody foresaw.</summary>
    public static bool IsBug(Failure failure) => failure.Class == FailureClass.Internal;

    private static bool IsOutOfMemory(Exception exception) => exception is OutOfMemoryException
        || (exception is ExternalException && (exception.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || exception.Message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase)));

    private static string FirstLine(Exception exception) => exception.Message.Split('\n')[0].Trim();
}
