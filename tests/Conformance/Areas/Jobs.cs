using System.Text.Json.Nodes;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Jobs
{
    private const string Index = "batch.kubernetes.io/job-completion-index";

    public static Area Area => new("Jobs",
    [
        new("A Job gets a selector by its uid, and its pod template the labels for it", Sources.JobSelector, async s =>
        {
            var job = await CreateAsync(s, "true", """{"suspend": true}""");

            job.Equal(job.Uid, "spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid")
                .Equal(job.Uid, "spec", "template", "metadata", "labels", "batch.kubernetes.io/controller-uid")
                .Equal("a", "spec", "template", "metadata", "labels", "batch.kubernetes.io/job-name")
                .Equal("a", "spec", "template", "metadata", "labels", "job-name");
        }),
        new("A Job has defaults: one pod, six failures, no index", Sources.Jobs, async s =>
            (await CreateAsync(s, "true", """{"suspend": true}""")).Equal(1, "spec", "parallelism").Equal(1, "spec", "completions")
                .Equal(6, "spec", "backoffLimit").Equal("NonIndexed", "spec", "completionMode")
                .Equal("TerminatingOrFailed", "spec", "podReplacementPolicy")),
        new("A Job with parallelism alone is a work queue, without completions", Sources.ParallelJobs, async s =>
            (await CreateAsync(s, "true", """{"suspend": true, "parallelism": 2}""")).Absent("spec", "completions")),
        Refused("The restart policy of a Job's pods is Never or OnFailure", Sources.JobValidation, """{}""",
            "spec.template.spec.restartPolicy", job => job.With("Always", "spec", "template", "spec", "restartPolicy")),
        Refused("An Indexed Job says its completions", Sources.JobValidation, """{"completionMode": "Indexed", "parallelism": 1}""",
            "spec.completions"),
        Refused("A completion mode is NonIndexed or Indexed", Sources.JobValidation, """{"completionMode": "Other"}""", "spec.completionMode"),
        Refused("A success policy needs indexes", Sources.JobSuccessPolicy, """{"successPolicy": {"rules": [{"succeededCount": 1}]}}""",
            "spec.successPolicy"),
        Refused("A limit of failures per index needs indexes", Sources.JobBackoffPerIndex, """{"backoffLimitPerIndex": 1}""", "spec.backoffLimitPerIndex"),
        Refused("A limit of failed indexes needs one per index", Sources.JobBackoffPerIndex,
            """{"completionMode": "Indexed", "completions": 1, "maxFailedIndexes": 1}""", "spec.backoffLimitPerIndex"),
        Refused("Parallelism is not negative", Sources.JobValidation, """{"parallelism": -1}""", "spec.parallelism"),
        Refused("A selector of one's own needs manualSelector", Sources.JobSelector, """{"selector": {"matchLabels": {"x": "y"}}}""", "spec.selector"),
        new("The template of a Job cannot be changed", Sources.JobValidation, async s =>
        {
            await CreateAsync(s, "true", """{"parallelism": 0}""");

            (await s.PatchAsync(Path(s), "json", """[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "x:1"}]"""))
                .Refuses(422, "Invalid", "field is immutable").Blames("spec.template", "FieldValueInvalid");
        }),
        new("The completions of a Job without indexes cannot be changed", Sources.JobValidation, async s =>
        {
            await CreateAsync(s, "true", """{"parallelism": 0, "completions": 2}""");

            (await s.PatchAsync(Path(s), "merge", """{"spec": {"completions": 3}}""")).Refuses(422, "Invalid", "field is immutable");
        }),
        new("Completions and parallelism of an Indexed Job change together", Sources.JobCompletionMode, async s =>
        {
            await CreateAsync(s, "true", """{"suspend": true, "parallelism": 2, "completions": 2, "completionMode": "Indexed"}""");

            (await s.PatchAsync(Path(s), "merge", """{"spec": {"completions": 3}}""")).Refuses(422, "Invalid").Blames("spec.completions", "FieldValueInvalid");
            (await s.PatchAsync(Path(s), "merge", """{"spec": {"completions": 3, "parallelism": 3}}""")).Is(200).Equal(3, "spec", "completions");
        }),
        new("Where the pods of a suspended Job go can be changed before it starts", Sources.JobSuspension, async s =>
        {
            await CreateAsync(s, "true", """{"suspend": true}""");

            (await s.PatchAsync(Path(s), "merge", """{"spec": {"template": {"spec": {"nodeSelector": {"x": "y"}}}}}""")).Is(200)
                .Equal("y", "spec", "template", "spec", "nodeSelector", "x");
        }),
        Pods("A Job whose pod succeeds is Complete, after SuccessCriteriaMet", Sources.JobTermination, async s =>
        {
            await CreateAsync(s, "exit 0");

            var job = await ConditionAsync(s, "Complete", "CompletionsReached");
            Assert.NotNull(Condition(job, "SuccessCriteriaMet"));
            job.Equal(1, "status", "succeeded").Absent("status", "active").Equal(0, "status", "ready");
            Assert.NotEmpty(job.Text("status", "completionTime"));
            Assert.NotEmpty(job.Text("status", "startTime"));
        }),
        Pods("A pod of a Job bears its labels, its owner and a name that begins with the Job's", Sources.Jobs, async s =>
        {
            var job = await CreateAsync(s, "exit 0");
            await ConditionAsync(s, "Complete", "CompletionsReached");

            var pod = (await s.GetAsync(s.Pods)).Is(200).Items.Single();
            Assert.StartsWith("a-", (string?)pod["metadata"]!["name"], StringComparison.Ordinal);
            Assert.Equal(job.Uid, (string?)pod["metadata"]!["labels"]!["batch.kubernetes.io/controller-uid"]);
            Assert.Equal(job.Uid, (string?)pod["metadata"]!["ownerReferences"]![0]!["uid"]);
        }),
        Pods("A failed pod beyond the limit fails the Job with BackoffLimitExceeded", Sources.JobBackoff, async s =>
        {
            await CreateAsync(s, "exit 1", """{"backoffLimit": 0}""");

            var job = await ConditionAsync(s, "Failed", "BackoffLimitExceeded");
            Assert.Equal("Job has reached the specified backoff limit", (string?)Condition(job, "Failed")!["message"]);
            Assert.NotNull(Condition(job, "FailureTarget"));
            job.Equal(1, "status", "failed").Absent("status", "completionTime");
        }),
        Pods("A Job tells of its pods and its end in events", Sources.Jobs, async s =>
        {
            await CreateAsync(s, "exit 0");
            await ConditionAsync(s, "Complete", "CompletionsReached");

            await EventAsync(s, "SuccessfulCreate", "Created pod: a-");
            await EventAsync(s, "Completed", "Job completed");
        }),
        Pods("Completions are reached by as many pods", Sources.ParallelJobs, async s =>
        {
            await CreateAsync(s, "exit 0", """{"completions": 3, "parallelism": 2}""");

            (await ConditionAsync(s, "Complete", "CompletionsReached")).Equal(3, "status", "succeeded");
            Assert.Equal(3, (await s.GetAsync(s.Pods)).Is(200).Items.Count);
        }),
        Pods("A work queue is complete when one pod has succeeded and none runs", Sources.ParallelJobs, async s =>
        {
            await CreateAsync(s, "exit 0", """{"parallelism": 2}""");

            (await ConditionAsync(s, "Complete", "CompletionsReached")).Equal(2, "status", "succeeded");
        }),
        Pods("An exit code can fail the Job at once, by its failure policy", Sources.JobFailurePolicy, async s =>
        {
            await CreateAsync(s, "exit 42", """
                {"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}}]}}
                """);

            var job = await ConditionAsync(s, "Failed", "PodFailurePolicy");
            Assert.Contains("failed with exit code 42 matching FailJob rule at index 0", (string?)Condition(job, "Failed")!["message"],
                StringComparison.Ordinal);
        }),
        Pods("A failure that the policy ignores does not count against the limit", Sources.JobFailurePolicy, async s =>
        {
            await CreateAsync(s, "exit 42", """
                {"backoffLimit": 0, "podFailurePolicy": {"rules": [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [42]}}]}}
                """);

            await s.UntilAsync("a pod has failed", async () => (await s.GetAsync($"{s.Pods}?fieldSelector=status.phase%3DFailed")).Is(200).Items.Count > 0);
            var job = (await s.GetAsync(Path(s))).Is(200);
            Assert.Null(Condition(job, "Failed"));
            job.Absent("status", "failed");
        }),
        Pods("A Job that is active for too long fails with DeadlineExceeded, and its pod is ended", Sources.JobTermination, async s =>
        {
            await CreateAsync(s, "sleep 600", """{"activeDeadlineSeconds": 1}""");

            var job = await ConditionAsync(s, "Failed", "DeadlineExceeded");
            Assert.Equal("Job was active longer than specified deadline", (string?)Condition(job, "Failed")!["message"]);
        }),
        Pods("A finished Job goes after its time to live", Sources.JobTimeToLive, async s =>
        {
            await CreateAsync(s, "exit 0", """{"ttlSecondsAfterFinished": 0}""");

            await s.GoneAsync(Path(s));
        }),
        Pods("A suspended Job has no pods, and says so", Sources.JobSuspension, async s =>
        {
            await CreateAsync(s, "exit 0", """{"suspend": true}""");

            var job = await ConditionAsync(s, "Suspended", "JobSuspended");
            Assert.Equal("Job suspended", (string?)Condition(job, "Suspended")!["message"]);
            job.Absent("status", "startTime");
            Assert.Empty((await s.GetAsync(s.Pods)).Is(200).Items);
        }),
        Pods("A Job that goes on runs, and is no longer suspended", Sources.JobSuspension, async s =>
        {
            await CreateAsync(s, "exit 0", """{"suspend": true}""");
            await ConditionAsync(s, "Suspended", "JobSuspended");

            (await s.PatchAsync(Path(s), "merge", """{"spec": {"suspend": false}}""")).Is(200);

            var job = await ConditionAsync(s, "Complete", "CompletionsReached");
            Assert.Equal("JobResumed", (string?)Condition(job, "Suspended")!["reason"]);
        }),
        Pods("Suspending a Job ends its pods without a failure", Sources.JobSuspension, async s =>
        {
            await CreateAsync(s, "sleep 600");
            await s.UntilAsync("the pod is active", async () => (int?)(await s.GetAsync(Path(s))).At("status", "active") == 1);

            (await s.PatchAsync(Path(s), "merge", """{"spec": {"suspend": true}}""")).Is(200);

            await s.UntilAsync("no pod is active", async () => (await s.GetAsync(Path(s))).Is(200).At("status", "active") is null);
            (await s.GetAsync(Path(s))).Absent("status", "failed").Absent("status", "startTime");
        }),
        Pods("Each index of an Indexed Job succeeds once, and is listed", Sources.JobCompletionMode, async s =>
        {
            await CreateAsync(s, "exit 0", """{"completions": 3, "parallelism": 3, "completionMode": "Indexed"}""");

            (await ConditionAsync(s, "Complete", "CompletionsReached")).Equal("0-2", "status", "completedIndexes").Equal(3, "status", "succeeded");
        }),
        Pods("A pod of an Indexed Job knows its index by annotation, label, hostname and environment", Sources.JobCompletionMode, async s =>
        {
            await CreateAsync(s, "echo index $JOB_COMPLETION_INDEX", """{"completions": 1, "completionMode": "Indexed"}""");
            await ConditionAsync(s, "Complete", "CompletionsReached");

            var pod = (await s.GetAsync(s.Pods)).Is(200).Items.Single();
            Assert.Equal("0", (string?)pod["metadata"]!["annotations"]![Index]);
            Assert.Equal("0", (string?)pod["metadata"]!["labels"]![Index]);
            Assert.Equal("a-0", (string?)pod["spec"]!["hostname"]);
            var name = (string?)pod["metadata"]!["name"];
            Assert.StartsWith("a-0-", name, StringComparison.Ordinal);
            Assert.Equal("index 0\n", (await s.GetAsync($"{s.Pods}/{name}/log")).Is(200).Body);
        }),
        Pods("Indexes that fail too often fail their Job after the others are done", Sources.JobBackoffPerIndex, async s =>
        {
            await CreateAsync(s, "exit $JOB_COMPLETION_INDEX",
                """{"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 0}""");

            var job = await ConditionAsync(s, "Failed", "FailedIndexes");
            job.Equal("0", "status", "completedIndexes").Equal("1", "status", "failedIndexes");
            Assert.Equal("Job has failed indexes", (string?)Condition(job, "Failed")!["message"]);
        }),
        Pods("More failed indexes than allowed fail the Job", Sources.JobBackoffPerIndex, async s =>
        {
            await CreateAsync(s, "exit 1", """
                {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "maxFailedIndexes": 0}
                """);

            await ConditionAsync(s, "Failed", "MaxFailedIndexesExceeded");
        }),
        Pods("The failure policy can give up an index", Sources.JobBackoffPerIndex, async s =>
        {
            await CreateAsync(s, "exit 42", """
                {"completions": 1, "completionMode": "Indexed", "backoffLimitPerIndex": 3,
                 "podFailurePolicy": {"rules": [{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [42]}}]}}
                """);

            (await ConditionAsync(s, "Failed", "FailedIndexes")).Equal("0", "status", "failedIndexes").Equal(1, "status", "failed");
        }),
        Pods("A success policy makes a Job Complete though others still run", Sources.JobSuccessPolicy, async s =>
        {
            await CreateAsync(s, "test $JOB_COMPLETION_INDEX = 0 || sleep 600", """
                {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "successPolicy": {"rules": [{"succeededIndexes": "0"}]}}
                """);

            var job = await ConditionAsync(s, "Complete", "SuccessPolicy");
            Assert.Equal("Matched rules at index 0", (string?)Condition(job, "SuccessCriteriaMet")!["message"]);
            job.Equal("0", "status", "completedIndexes");
        }),
        Pods("A Job that somebody else manages is left alone", Sources.JobManagedBy, async s =>
        {
            await CreateAsync(s, "exit 0", """{"managedBy": "example.com/other"}""");
            (await s.PostAsync(JobsPath(s), Make(s, "b", "exit 0", "{}"))).Is(201);
            await s.UntilAsync("the other Job is complete", async () => Condition(await s.GetAsync($"{JobsPath(s)}/b"), "Complete") is not null);

            (await s.GetAsync(Path(s))).Is(200).Absent("status", "startTime");
        }),
    ]);

    private static string JobsPath(Space s) => $"/apis/batch/v1/namespaces/{s.Name}/jobs";

    private static string Path(Space s) => $"{JobsPath(s)}/a";

    private static JsonObject Make(Space s, string name, string script, string spec)
    {
        var job = Harness.Make.Named("batch/v1", "Job", name).With(Json.Object(spec), "spec");
        var pod = Harness.Make.Pod("x", s.Server.ShellImage, script)["spec"]!.DeepClone();
        return job.With(new JsonObject { ["spec"] = pod }, "spec", "template");
    }

    private static async Task<Answer> CreateAsync(Space s, string script, string spec = "{}") =>
        (await s.PostAsync(JobsPath(s), Make(s, "a", script, spec))).Is(201);

    private static Case Pods(string sentence, Source source, Func<Space, Task> run) => new(sentence, source, run) { Needs = Needs.Pods };

    private static Case Refused(string sentence, Source source, string spec, string field, Func<JsonObject, JsonObject>? change = null) =>
        new(sentence, source, async s =>
        {
            var refused = (await s.PostAsync(JobsPath(s), (change ?? (job => job))(Make(s, "a", "true", spec)))).Refuses(422, "Invalid", field);
            Assert.Contains((refused.At("details", "causes") as JsonArray ?? []).OfType<JsonObject>(), c => (string?)c["field"] == field);
        });

    private static JsonObject? Condition(Answer job, string type) => (job.At("status", "conditions") as JsonArray ?? []).OfType<JsonObject>()
        .FirstOrDefault(c => (string?)c["type"] == type);

    private static async Task<Answer> ConditionAsync(Space s, string type, string reason)
    {
        Answer? job = null;
        await s.UntilAsync($"the Job is {type} for {reason}", async () =>
        {
            job = (await s.GetAsync(Path(s))).Is(200);
            return Condition(job, type) is { } condition && (string?)condition["status"] == "True" && (string?)condition["reason"] == reason;
        });
        return job!;
    }

    private static Task EventAsync(Space s, string reason, string message) => s.UntilAsync($"there is an event {reason}", async () =>
        (await s.GetAsync($"{s.Core("events")}?fieldSelector=involvedObject.name%3Da,involvedObject.kind%3DJob")).Is(200).Items
            .Any(e => (string?)e["reason"] == reason && ((string?)e["message"])!.StartsWith(message, StringComparison.Ordinal)));
}
