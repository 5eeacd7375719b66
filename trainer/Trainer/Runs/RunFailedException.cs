using Graft.Contract;

namespace Graft.Trainer.Runs;

/// <summary>A run that ends for a known reason. Its message names the field, file or line, and says what would be right.</summary>
internal sealed class RunFailedException(FailureClass failureClass, string message, Exception? cause = null) : Exception(message, cause)
{
    public FailureClass Class { get; } = failureClass;

    public static RunFailedException Job(string message) => new(FailureClass.InvalidJob, message);

    public static RunFailedException Dataset(string message, Exception? cause = null) => new(FailureClass.DataError, message, cause);

    public static RunFailedException Model(string message, Exception? cause = null) => new(FailureClass.ModelError, message, cause);

    public static RunFailedException Output(string message, Exception? cause = null) => new(FailureClass.OutputError, message, cause);
}
