using Graft.Contract;

namespace Graft.Trainer.Jobs;

/// <summary>What the types cannot say about a job: exactly one member of a union, bounds, and fields that need each other.</summary>
internal static class JobValidator
{
    public static void Validate(TrainingJob job, JobErrors errors)
    {
        errors.Check(job.Version == TrainingJob.CurrentVersion, "version",
            $"is \"{job.Version}\"; must be \"{TrainingJob.CurrentVersion}\"");
        errors.Check(IsFileName(job.Name), "name", "must be 1 to 253 letters, digits, '-', '_' or '.', and begin with a letter or digit");
        ModelChecks.Check(job, errors);
        ObjectiveChecks.Check(job, errors);
        DataChecks.Check(job, errors);
        MethodChecks.Check(job, errors);
        TrainingChecks.Check(job.Training, errors);
        errors.NotBlank(job.Output.Path, "output.path");
        errors.NotBlank(job.Output.Uri, "output.uri");
        errors.Check(Path.GetFileName(job.Output.Path.TrimEnd('/')).Length > 0, "output.path", "must name a folder below another one");
    }

    private static bool IsFileName(string name) =>
        name.Length is >= 1 and <= 253 && char.IsAsciiLetterOrDigit(name[0])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
