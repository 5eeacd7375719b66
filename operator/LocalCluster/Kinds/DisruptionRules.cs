using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Graft.LocalCluster.Schema;
using Graft.LocalCluster.Storage;

namespace Graft.LocalCluster.Kinds;

/// <summary>Checks of PodDisruptionBudgets (pkg/apis/policy/validation), and of numbers that may be percentages.</summary>
internal static partial class DisruptionRules
{
    private const string NoPercent = "a valid percent string must be a numeric string followed by an ending '%' " +
        "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

    public static KindRules Rules { get; } = new() { Validate = Validate };

    private static void Validate(JsonObject budget, List<FieldError> errors)
    {
        var (least, most) = (budget.At("spec", "minAvailable"), budget.At("spec", "maxUnavailable"));
        if (least is not null && most is not null)
            errors.Add(FieldError.Invalid("spec", budget["spec"]!.DeepClone(), "minAvailable and maxUnavailable cannot be both set"));
        Share(least, "spec.minAvailable", errors);
        Share(most, "spec.maxUnavailable", errors);
        var policy = budget.At("spec", "unhealthyPodEvictionPolicy");
        if (policy is not null && policy.AsString() is not ("AlwaysAllow" or "IfHealthyBudget"))
            errors.Add(FieldError.NotSupported("spec.unhealthyPodEvictionPolicy", policy.DeepClone(), ["AlwaysAllow", "IfHealthyBudget"]));
    }

    /// <summary>A number of pods, or a percentage up to 100.</summary>
    /// <param name="upTo100">More than 100% is a fault.</param>
    public static void Share(JsonNode? value, string field, List<FieldError> errors, bool upTo100 = true)
    {
        if (value.AsString() is { } text)
        {
            if (!Percent().IsMatch(text))
                errors.Add(FieldError.Invalid(field, text, NoPercent));
            else if (upTo100 && decimal.Parse(text.TrimEnd('%'), CultureInfo.InvariantCulture) > 100)
                errors.Add(FieldError.Invalid(field, text, "must not be greater than 100%"));
        }
        else if (value.AsLong() is < 0)
        {
            errors.Add(FieldError.Invalid(field, value!.DeepClone(), "must be greater than or equal to 0"));
        }
    }

    [GeneratedRegex("^[0-9]{1,20}%$")]
    private static partial Regex Percent();
}
