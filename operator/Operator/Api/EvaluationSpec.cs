using System.Text.Json.Serialization;
using Graft.Runtime;

namespace Graft.Operator.Api;

internal sealed record EvaluationSpec
{
    [Required, Items(1, 8)]
    [Description("Loss: mean per supervised token or label. ExactMatch, of generation: share of rows whose greedy answer equals the"
        + " reference. Accuracy, of classification: share of rows whose likeliest label is the right one.")]
    public IList<EvaluationMetric> Metrics { get; init; } = [];
}

[JsonConverter(typeof(JsonStringEnumConverter<EvaluationMetric>))]
internal enum EvaluationMetric { Loss, ExactMatch, Accuracy }
