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
        foreach (var error in MethodValidation.Errors(spec.Method)) yield return error;
        if (spec.Model.Quantization is { } quantization && quantization.Nf4 is null == quantization.None is null)
            yield return new("spec.model.quantization", "set exactly one of: nf4, none");
        if (spec.Model.Quantization?.Nf4 is not null && spec.Method.Full is not null)
            yield return new("spec.model.quantization.nf4", "leave it out with method.full, whose weights train");
        if (spec.Output.Pvc is null) yield return new("spec.output", "set exactly one of: pvc");
        if (spec.Objective.Generation is null == spec.Objective.Classification is null)
            yield return new("spec.objective", "set exactly one of: generation, classification");
        if (spec.Objective.Classification is not null)
        {
            foreach (var error in Twice(spec.Objective.Classification.Labels ?? [], "spec.objective.classification.labels"))
                yield return error;
            foreach (var field in TextFiles(spec.Data))
                yield return new(field, "Text has no labels; objective.classification learns from JsonLines or Csv");
        }
        if (spec.Data.Train.Count == 0) yield return new("spec.data.train", "name at least one file");
        if (spec.Data.Validation is { } validation && validation.Split is null == validation.Sources is null)
            yield return new("spec.data.validation", "set exactly one of: split, sources");
        if (spec.Evaluation is not null && spec.Data.Validation is null)
            yield return new("spec.evaluation", "set data.validation too: rows to evaluate on");
        foreach (var error in Twice(spec.Evaluation?.Metrics ?? [], "spec.evaluation.metrics")) yield return error;
        if (spec.Training.MicroBatchSize > spec.Training.BatchSize)
            yield return new("spec.training.microBatchSize", $"at most batchSize, which is {spec.Training.BatchSize}");
    }

    public static IEnumerable<FieldError> Twice<T>(IEnumerable<T> values, string field) => values
        .GroupBy(v => v).Where(g => g.Count() > 1).Select(g => new FieldError(field, $"{g.Key} is there {g.Count()} times"));

    private static IEnumerable<string> TextFiles(DataSpec data) =>
        Fields("spec.data.train", data.Train).Concat(Fields("spec.data.validation.sources", data.Validation?.Sources ?? []));

    private static IEnumerable<string> Fields(string field, IList<DataSourceSpec> sources) =>
        from i in Enumerable.Range(0, sources.Count)
        where sources[i].Format == DataFileFormat.Text
        select $"{field}[{i}].format";

    [GeneratedRegex(NamePatterns.Label)]
    private static partial Regex Label();
}
