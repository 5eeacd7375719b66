using Graft.Contract;

namespace Graft.Modeling;

/// <summary>How a frozen model may be kept, by the names that a manifest has for it.</summary>
public static class Quantizations
{
    public static IReadOnlyList<string> Names { get; } = ["nf4", "none"];

    /// <summary>What the option of that name means, in a command's help.</summary>
    public const string Description =
        "How weights are kept: nf4 makes four bits of each, none widens those of a quantised file. Default: as the file has them.";

    /// <param name="name">One of <see cref="Names"/>; null: as the file has the weights.</param>
    /// <exception cref="ArgumentException">There is no such name.</exception>
    public static Quantization? Named(string? name) => name switch
    {
        null => null,
        "nf4" => new Quantization { Nf4 = new Nf4Quantization() },
        "none" => new Quantization { None = new NoQuantization() },
        _ => throw new ArgumentException($"'{name}' is none of {string.Join(", ", Names)}", nameof(name)),
    };
}
