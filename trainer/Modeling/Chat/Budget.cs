using System.Runtime.CompilerServices;

namespace Graft.Modeling.Chat;

/// <summary>
/// How much a template may still do. It comes with a model from anywhere, so it can neither run, write nor take memory without
/// end: every step counts, and everything that is looked through or made counts with its size.
/// </summary>
internal sealed class Budget
{
    /// <summary>Levels of lists in lists, macros in macros, and loops that call themselves.</summary>
    public const int MostNesting = 100;

    private const int MostSteps = 4_000_000;
    private const long LeastSize = 64 << 20, SizeForEachCharacter = 64;
    private long steps = MostSteps, size;
    private int calls;

    /// <param name="characters">Characters of the messages: long ones may be looked through as often as short ones.</param>
    public Budget(long characters = 0) => size = LeastSize + SizeForEachCharacter * characters;

    /// <summary>An expression or statement begins.</summary>
    public void Step()
    {
        if (--steps < 0) throw new ChatTemplateException($"it takes more than {MostSteps} steps");
        CheckStack();
    }

    /// <summary>So many characters, or list entries of the same size, are made or looked through.</summary>
    public void Spend(long characters)
    {
        size -= characters;
        if (size < 0) throw new ChatTemplateException("it writes or looks through too much text");
    }

    /// <summary>A text that was made.</summary>
    public string Made(string text)
    {
        Spend(text.Length);
        return text;
    }

    /// <summary>A list that was made.</summary>
    public List<object?> Made(List<object?> list)
    {
        Spend(4L * list.Count);
        return list;
    }

    /// <summary>
    /// A text of <paramref name="length"/> is searched for one of <paramref name="wanted"/>, at worst at each of its places.
    /// </summary>
    public void Search(int length, int wanted) => Spend(length + (long)length * wanted / 256);

    /// <summary>A level of <see cref="MostNesting"/>; dispose it at its end.</summary>
    public Level Enter()
    {
        if (++calls > MostNesting) throw new ChatTemplateException($"its macros, loops or values are more than {MostNesting} deep");
        return new Level(this);
    }

    /// <summary>
    /// What is nested in what, and calls what, can add up to more than a thread's stack holds, which would end the process.
    /// </summary>
    public static void CheckStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new ChatTemplateException("it is nested too deeply");
    }

    public readonly ref struct Level(Budget budget)
    {
        public void Dispose() => budget.calls--;
    }
}
