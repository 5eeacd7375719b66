using Graft.Modeling;

namespace Graft.Trainer.Merging;

/// <summary>The ways of combining LoRAs, by PEFT's names.</summary>
internal static class CombinationNames
{
    private static readonly (string Name, LoraCombination Method)[] Table =
    [
        ("linear", LoraCombination.Linear), ("cat", LoraCombination.Cat), ("svd", LoraCombination.Svd), ("ties", LoraCombination.Ties),
        ("dare_linear", LoraCombination.DareLinear), ("dare_ties", LoraCombination.DareTies),
    ];

    public static string[] All => [.. Table.Select(t => t.Name)];

    public static LoraCombination Named(string name) => Table.First(t => t.Name == name).Method;

    public static string Of(LoraCombination method) => Table.First(t => t.Method == method).Name;
}
