using System.CommandLine;

namespace Graft.Trainer.Cli;

internal static class Bounds
{
    /// <summary>Refuses values below <paramref name="least"/>; the message names the option.</summary>
    public static Option<T> AtLeast<T>(this Option<T> option, T least) where T : IComparable<T>
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<T>()!.CompareTo(least) < 0)
                result.AddError($"{option.Name} must be at least {least}");
        });
        return option;
    }
}
