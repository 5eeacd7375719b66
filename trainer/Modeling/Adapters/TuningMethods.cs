using Graft.Contract;
using Graft.Modeling.Adapters;

namespace Graft.Modeling;

/// <summary>The methods there are, by the member of <see cref="Method"/> that asks for them.</summary>
public static class TuningMethods
{
    private static readonly (string Name, Func<Method, TuningMethod?> Create)[] Table =
    [
        ("lora", m => m.Lora is { } lora ? new LoraTuning(lora) : null),
        ("full", m => m.Full is not null ? new FullTuning() : null),
    ];

    /// <exception cref="TuningException">Not exactly one member is set.</exception>
    public static TuningMethod Create(Method method)
    {
        var asked = Table.Select(t => (t.Name, Made: t.Create(method))).Where(t => t.Made is not null).ToList();
        return asked is [var only] ? only.Made!
            : throw new TuningException([$"method: exactly one of {string.Join(", ", Table.Select(t => t.Name))} must be set, not {asked.Count}."]);
    }
}
