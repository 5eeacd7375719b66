namespace Graft.Modeling.Tests.Fuzz;

/// <summary>
/// Gives a parser many damaged files, and looks at what becomes of each within its <see cref="FuzzBudget"/>: a result, or an error that
/// the parser promises. The input's number makes the file again.
/// </summary>
internal sealed class FuzzRun(string parser, IReadOnlyList<byte[]> good, bool json)
{
    /// <param name="parse">Reads one file, and whatever a user would read of it.</param>
    /// <param name="promised">Whether the parser may throw this.</param>
    /// <returns>Files that were read without an error.</returns>
    public int Run(Action<byte[]> parse, Func<Exception, bool> promised)
    {
        // The files that are damaged must be good ones.
        foreach (var file in good) parse(file);
        var read = 0;
        new FuzzBudget(parser).Run(FuzzBudget.Inputs, i =>
        {
            var bytes = new Mutator(i, good).Next(json);
            try
            {
                parse(bytes);
                read++;
            }
            catch (Exception e) when (promised(e) && !string.IsNullOrWhiteSpace(e.Message))
            {
                // What the parser says to somebody whose file is damaged.
            }
        });
        return read;
    }
}
