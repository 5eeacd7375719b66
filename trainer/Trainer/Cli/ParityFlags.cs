using System.CommandLine;
using Graft.Contract;
using Graft.Trainer.Merging;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Cli;

/// <summary>The options by which something that was made is compared with what it was made from.</summary>
internal sealed class ParityFlags
{
    private readonly Option<string[]> prompt = new("--prompt")
    {
        HelpName = "TEXT",
        Description = "What to compare the answers to. May be given several times. Default: a few sentences.",
    };

    private readonly Option<string?> prompts = new("--prompts")
    {
        HelpName = "FILE",
        Description = "The same from a file, one a line.",
    };

    private readonly Option<double?> most = new("--max-difference")
    {
        HelpName = "X",
        Description = "Fails where a logit differs by more. Default: by the types, see below.",
    };

    private readonly Option<Precision> precision = new("--precision")
    {
        Description = "Arithmetic of the comparison. Auto takes BF16 where the device computes it faster than F32.",
        DefaultValueFactory = _ => Precision.F32,
    };

    public static string Manual => $"""
        What was written is opened again and compared: the largest difference of a logit is printed, and where it is above
        --max-difference the command fails and leaves nothing. Rounding alone moves logits, by a share of their spread (standard
        deviation) that goes by the coarser of the weights' type and the arithmetic's. The defaults, as shares:
          {Parity.Defaults}
        """;

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[prompt, prompts, most, precision]) command.Options.Add(option);
    }

    public ParityPrompts Of(ParseResult parsed)
    {
        var texts = parsed.GetValue(prompt)!.ToList();
        if (parsed.GetValue(prompts) is { } file)
        {
            if (!File.Exists(file)) throw RunFailedException.Dataset($"{file}: no such file");
            texts.AddRange(File.ReadLines(file).Where(line => line.Length > 0));
        }
        if (parsed.GetValue(most) is { } bound && !(bound >= 0)) throw RunFailedException.Job("--max-difference must be at least 0");
        return new ParityPrompts(texts, parsed.GetValue(precision), parsed.GetValue(most));
    }
}
