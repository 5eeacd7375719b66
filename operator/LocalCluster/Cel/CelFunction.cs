namespace Graft.LocalCluster.Cel;

/// <summary>One overload of a function.</summary>
/// <param name="Name">The name, or the operator between underscores: <c>_+_</c>.</param>
/// <param name="IsMember">Whether the first parameter stands before a dot.</param>
/// <param name="Parameters">The kinds of the parameters; Dyn takes everything.</param>
/// <param name="Result">The type of the result, from the types of the arguments.</param>
/// <param name="Evaluate">The function.</param>
internal sealed record CelFunction(
    string Name, bool IsMember, CelKind[] Parameters, Func<IReadOnlyList<CelType>, CelType> Result, Func<object?[], object?> Evaluate)
{
    /// <summary>Whether arguments of these types fit; what is dynamic fits everywhere.</summary>
    public bool Takes(IReadOnlyList<CelType> arguments)
    {
        if (arguments.Count != Parameters.Length)
        {
            return false;
        }
        for (var i = 0; i < arguments.Count; i++)
        {
            if (Parameters[i] != CelKind.Dyn && arguments[i].Kind != CelKind.Dyn && arguments[i].Kind != Parameters[i])
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether values fit.</summary>
    public bool Takes(object?[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (Parameters[i] != CelKind.Dyn && KindOf(values[i]) != Parameters[i])
            {
                return false;
            }
        }
        return true;
    }

    private static CelKind KindOf(object? value) => value switch
    {
        null => CelKind.Null,
        bool => CelKind.Bool,
        long => CelKind.Int,
        ulong => CelKind.Uint,
        double => CelKind.Double,
        string => CelKind.String,
        byte[] => CelKind.Bytes,
        DateTimeOffset => CelKind.Timestamp,
        TimeSpan => CelKind.Duration,
        CelList => CelKind.List,
        CelMap => CelKind.Map,
        CelOptional => CelKind.Optional,
        _ => CelKind.Object,
    };
}
