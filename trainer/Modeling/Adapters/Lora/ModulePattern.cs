using System.Text.RegularExpressions;
using Graft.Contract;

namespace Graft.Modeling.Adapters;

/// <summary>
/// Regular expressions over module paths as PEFT means them. They are matched in time linear in the path, whatever they are, which
/// leaves out look-arounds and back-references.
/// </summary>
internal static class ModulePattern
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    /// <summary>One that fits a whole path (<c>target_modules</c> as a text).</summary>
    /// <exception cref="ArgumentException">It is none, or asks for what cannot be matched in linear time.</exception>
    public static Regex Whole(string pattern) => Compile(pattern, p => new Regex($@"\A(?:{p})\z", Options));

    /// <summary>One that fits a whole path, or what follows a dot in it (<c>rank_pattern</c>).</summary>
    /// <exception cref="ArgumentException">As <see cref="Whole"/>.</exception>
    public static Regex Suffix(string pattern) => Compile(pattern, ModulePatterns.Compile);

    /// <summary>The number of a block, behind what the pattern fits (<c>layers_pattern</c>).</summary>
    /// <exception cref="ArgumentException">As <see cref="Whole"/>.</exception>
    public static Regex Block(string? pattern) =>
        Compile(pattern ?? @"[^.]*", p => new Regex($@"\A.*\.(?:{p})\.(?<block>[0-9]+)\.", Options));

    /// <summary>What the first pattern that fits says.</summary>
    public static T? First<T>(IEnumerable<(Regex Pattern, T Value)> patterns, string module) where T : struct
    {
        foreach (var (pattern, value) in patterns)
            if (pattern.IsMatch(module)) return value;
        return null;
    }

    private static Regex Compile(string pattern, Func<string, Regex> within)
    {
        try
        {
            // Alone first: what closes a parenthesis of ours must not make a whole of it.
            _ = new Regex(pattern, Options);
            return within(pattern);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(e.Message, nameof(pattern), e);
        }
    }
}
