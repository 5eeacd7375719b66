using Graft.Contract;
using Graft.Modeling.Adapters;

namespace Graft.Modeling;

/// <summary>The methods there are.</summary>
public static class TuningMethods
{
    /// <param name="Name">The member of <see cref="Method"/> that asks for it.</param>
    /// <param name="Create">Null when that member is not set.</param>
    /// <param name="StoredAs">What an adapter's folder calls it (<see cref="AdapterFolder.Type"/>); null where it makes no adapter.</param>
    /// <param name="Read">The method that made a folder.</param>
    private sealed record Row(string Name, Func<Method, TuningMethod?> Create, string? StoredAs, Func<AdapterFolder, TuningMethod>? Read);

    private static readonly Row[] Table =
    [
        new("lora", m => m.Lora is { } lora ? new LoraTuning(lora) : null, "LORA", LoraTuning.Read),
        new("promptTuning", m => m.PromptTuning is { } prompt ? new PromptTuning(prompt) : null, "PROMPT_TUNING", PromptTuning.Read),
        new("pTuning", m => m.PTuning is { } prompt ? new PTuning(prompt) : null, "P_TUNING", PTuning.Read),
        new("prefixTuning", m => m.PrefixTuning is { } prefix ? new PrefixTuning(prefix) : null, "PREFIX_TUNING", PrefixTuning.Read),
        new("ia3", m => m.Ia3 is { } ia3 ? new Ia3Tuning(ia3) : null, "IA3", Ia3Tuning.Read),
        new("bottleneck", m => m.Bottleneck is { } bottleneck ? new BottleneckTuning(BottleneckConfig.Of(bottleneck)) : null,
            AdapterFolder.Bottleneck, BottleneckTuning.Read),
        new("full", m => m.Full is not null ? new FullTuning() : null, null, null),
    ];

    /// <exception cref="TuningException">Not exactly one member is set.</exception>
    public static TuningMethod Create(Method method)
    {
        var asked = Table.Select(t => (t.Name, Made: t.Create(method))).Where(t => t.Made is not null).ToList();
        return asked is [var only] ? only.Made!
            : throw new TuningException([$"method: exactly one of {string.Join(", ", Table.Select(t => t.Name))} must be set, not {asked.Count}."]);
    }

    /// <summary>What a method is called here that an adapter's folder calls so; null: there is none.</summary>
    internal static string? NameOf(string storedAs) => Table.FirstOrDefault(t => t.StoredAs == storedAs)?.Name;

    /// <exception cref="ModelFormatException">No method here makes such a folder, or its configuration asks for what is not supported.</exception>
    internal static TuningMethod Of(AdapterFolder folder) =>
        Table.FirstOrDefault(t => t.StoredAs == folder.Type)?.Read!(folder) ?? throw new ModelFormatException(folder.ConfigPath,
            $"peft_type is '{folder.Type}'; adapters of these can be loaded: {string.Join(", ", Table.Select(t => t.StoredAs).OfType<string>())}");
}
