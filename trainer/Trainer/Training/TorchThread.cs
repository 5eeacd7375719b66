using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Graft.Trainer.Training;

/// <summary>
/// Everything that touches torch happens on one thread: dispose scopes and gradient modes belong to a thread, and an await in
/// between would continue on another. It is the process's first thread, because glibc keeps only that one's heap between
/// large blocks; any other thread's would be given back to the kernel and cleared anew in every layer of every step.
/// </summary>
internal sealed class TorchThread
{
    private readonly BlockingCollection<Action> work = [];
    private volatile bool busy;

    /// <summary>Runs a program on the thread pool, and on the calling thread whatever torch work it asks for, until it ends.</summary>
    /// <param name="abandon">Ends the process with the program's result when torch is still busy by then; does not return.</param>
    public static T Serve<T>(Func<TorchThread, Task<T>> program, Action<T> abandon)
    {
        var torch = new TorchThread();
        var task = Task.Run(async () =>
        {
            try
            {
                var result = await program(torch);
                if (torch.busy) abandon(result);
                return result;
            }
            finally
            {
                torch.work.CompleteAdding();
            }
        });
        foreach (var item in torch.work.GetConsumingEnumerable()) item();
        return task.GetAwaiter().GetResult();
    }

    /// <summary>Runs <paramref name="function"/> on the torch thread; the task ends with it.</summary>
    public Task<T> RunAsync<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            busy = true;
            try
            {
                var value = function();
                busy = false;
                result.SetResult(value);
            }
            catch (Exception e)
            {
                busy = false;
                result.SetException(e);
            }
        });
        return result.Task;
    }

    /// <summary>The same for a caller that has nothing else to do; not to be called on the torch thread.</summary>
    public T Run<T>(Func<T> function)
    {
        var task = RunAsync(function);
        try
        {
            task.Wait();
        }
        catch (AggregateException e) when (e.InnerException is not null)
        {
            ExceptionDispatchInfo.Throw(e.InnerException);
        }
        return task.Result;
    }
}
