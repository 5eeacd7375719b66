using System.CommandLine;
using System.Globalization;

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

    /// <summary>Refuses values that are not above 0, or above <paramref name="most"/>.</summary>
    public static Option<double> AboveZero(this Option<double> option, double most = double.MaxValue)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(result.GetValueOrDefault<double>() is var value && value > 0 && value <= most))
                result.AddError($"{option.Name} must be above 0" + Most(most));
        });
        return option;
    }

    /// <summary>Refuses values that are not from 0 to <paramref name="most"/>.</summary>
    public static Option<double> FromZero(this Option<double> option, double most)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(result.GetValueOrDefault<double>() is var value && value >= 0 && value <= most))
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be from 0 to {most}"));
        });
        return option;
    }

    private static string Most(double most) =>
        most == double.MaxValue ? "" : string.Create(CultureInfo.InvariantCulture, $" and at most {most}");
}
