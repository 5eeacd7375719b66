using System.CommandLine;
using System.Globalization;
using Graft.Modeling;
using Graft.Trainer.Merging;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Cli;

/// <summary>The options that name adapters and say how several become one.</summary>
internal sealed class CombinationFlags(string methodName)
{
    public const string Manual = """
            linear       A and B are summed by themselves, each by the root of weight times scale; of one rank
            cat          all matrices side by side: exactly the weighted sum; the ranks add up
            svd          the best approximation of the weighted sum at --rank
            ties         as linear, of the largest elements alone and where their signs agree (arXiv:2306.01708)
            dare_linear  as linear, of elements that chance leaves, counted the more (arXiv:2311.03099)
            dare_ties    dare_linear's elements, where their signs agree
        """;

    private readonly Option<string[]> adapters = new("--adapter")
    {
        HelpName = "PATH",
        Description = "An adapter as PEFT writes it (a folder), or as GGUF. Given several times, they are combined to one.",
        Required = true,
    };

    private readonly Option<string?> weights = new("--weights")
    {
        HelpName = "W,W",
        Description = "What each adapter counts, in their order. Default: 1 each.",
    };

    private readonly Option<string?> method = new Option<string?>(methodName)
    {
        HelpName = "METHOD",
        Description = $"How several adapters become one: {string.Join(", ", CombinationNames.All)}.",
    }.AcceptOnlyFromAmong(CombinationNames.All);

    private readonly Option<double?> density = new("--density")
    {
        HelpName = "SHARE",
        Description = "Share of the elements that ties, dare_linear and dare_ties keep. Default: 0.5.",
    };

    private readonly Option<long?> seed = new("--seed")
    {
        HelpName = "N",
        Description = "Which elements chance leaves; the same seed leaves the same. Default: 0.",
    };

    private readonly Option<int?> rank = new("--rank")
    {
        HelpName = "R",
        Description = "Rank that svd makes. Default: the largest of the adapters'.",
    };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[adapters, weights, method, density, seed, rank]) command.Options.Add(option);
    }

    public IReadOnlyList<string> Adapters(ParseResult parsed) => [.. parsed.GetValue(adapters)!.Select(a => a.TrimEnd('/'))];

    /// <summary>Null: there is one adapter, which counts as it is.</summary>
    /// <exception cref="RunFailedException">The options contradict each other.</exception>
    public CombinationOptions? Of(ParseResult parsed)
    {
        var count = parsed.GetValue(adapters)!.Length;
        if (parsed.GetValue(method) is not { } named)
        {
            if (count > 1) throw RunFailedException.Job($"{count} adapters are given: {methodName} must say how they become one");
            foreach (var option in (Option[])[weights, density, seed, rank])
                if (parsed.GetResult(option) is { Implicit: false })
                    throw RunFailedException.Job($"{option.Name} belongs to {methodName}");
            return null;
        }
        var options = new CombinationOptions(
            CombinationNames.Named(named), Weights(parsed.GetValue(weights), count), Rank: parsed.GetValue(rank));
        if (parsed.GetValue(density) is { } share)
            options = options.Prunes ? options with { Density = share } : throw RunFailedException.Job($"--density says nothing to {named}");
        return parsed.GetValue(seed) is { } chance ? options with { Seed = chance } : options;
    }

    private static List<double> Weights(string? text, int count)
    {
        if (text is null) return [.. Enumerable.Repeat(1.0, count)];
        var values = new List<double>();
        foreach (var part in text.Split(','))
        {
            if (!double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                throw RunFailedException.Job($"--weights is '{text}'; it must be numbers between commas, such as 0.7,0.3");
            values.Add(value);
        }
        return values;
    }
}
