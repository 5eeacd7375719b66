using System.Text.RegularExpressions;
using Graft.Operator.Api;

namespace Graft.Operator.FineTuning;

/// <summary>
/// What the CRD's schema cannot say, and the unions once more, because a resource may be older than the schema it is
/// read with. Every error there is, not the first.
/// </summary>
internal static partial class FineTuneJobValidation
{
    public static IEnumerable<FieldError> Errors(FineTuneJob resource)
    {
        var spec = resource.Spec;
        var name = resource.Metadata.Name;
        if (name.Length > 63 || !Label().IsMatch(name))
            yield return new("metadata.name", $"'{name}' also names pods: at most 63 lower-case letters, digits and '-'");
        if (spec.Method.Name is null) yield return new("spec.method", "set exactly one of: lora, full");
        if (spec.Model.Quantization is { } quantization && quantization.Nf4 is null == quantization.None is null)
            yield return new("spec.model.quantization", "set exactly one of: nf4, none");
        if (spec.Model.Quantization?.Nf4 is not null && spec.Method.Full is not null)
            yield return new("spec.model.quantization.nf4", "leave it out with method.full, whose weights train");
        if (spec.Output.Pvc is null) yield return new("spec.output", "set exactly one of: pvc");
        if (spec.Objective.Generation is null) yield return new("spec.objective", "set exactly one of: generation");
        if (spec.Data.Train.Count == 0) yield return new("spec.data.train", "name at least one file");
        if (spec.Data.Validation is { } validation && validation.Split is null == validation.Sources is null)
            yield return new("spec.data.validation", "set exactly one of: split, sources");
        if (spec.Evaluation is not null && spec.Data.Validation is null)
            yield return new("spec.evaluation", "set data.validation too: rows to evaluate on");
        if (spec.Training.MicroBatchSize > spec.Training.BatchSize)
            yield return new("spec.training.microBatchSize", $"at most batchSize, which is {spec.Training.BatchSize}");
    }

    [GeneratedRegex(NamePatterns.Label)]
    private static partial Regex Label();
}
