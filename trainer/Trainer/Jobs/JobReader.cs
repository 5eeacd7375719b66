using System.Text.Json;
using Graft.Contract;
using Graft.Trainer.Runs;

namespace Graft.Trainer.Jobs;

/// <summary>Reads <c>job.json</c> strictly: every misspelt, missing or impossible field is named, all in one message.</summary>
internal static class JobReader
{
    // Kubernetes holds a ConfigMap to 1 MiB; anything larger is not a job.
    private const long MaxBytes = 1 << 20;

    /// <exception cref="RunFailedException">Class <see cref="FailureClass.InvalidJob"/>.</exception>
    public static TrainingJob Read(string path)
    {
        byte[] bytes;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) throw RunFailedException.Job($"no job at {path}; give one with --job FILE");
            if (file.Length > MaxBytes) throw RunFailedException.Job($"{path} has {file.Length} bytes; a job has at most {MaxBytes}");
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RunFailedException.Job($"{path} cannot be read: {e.Message}");
        }
        return Parse(bytes, path);
    }

    public static TrainingJob Parse(ReadOnlyMemory<byte> json, string name)
    {
        var errors = new JobErrors();
        TrainingJob? job = null;
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 32 });
            JsonShape.Check(document.RootElement, ContractJson.Default.TrainingJob, "", errors);
            if (errors.Lines.Count == 0) job = document.RootElement.Deserialize(ContractJson.Default.TrainingJob);
        }
        catch (JsonException e)
        {
            throw RunFailedException.Job($"{name} is no JSON that a job can be read from: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // The parser's answer to a name or a text that no string can hold is no JsonException.
            throw RunFailedException.Job(
                $"{name}: a text in it is not UTF-8, or has half of a surrogate pair "
                + "(an escape from \\ud800 to \\udfff that stands alone)");
        }
        if (job is null && errors.Lines.Count == 0) errors.Add("job", "must be an object");
        if (job is not null) JobValidator.Validate(job, errors);
        if (errors.Lines.Count > 0) throw RunFailedException.Job($"{name}: {string.Join("; ", errors.Lines)}");
        return job!;
    }
}
