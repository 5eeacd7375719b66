using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class PodLife
{
    public static Area Area => new("Pods",
    [
        new("A pod is bound to a node", Sources.PodLifecycle, async s =>
        {
            (await s.PostAsync(s.Pods, Make.Pod("a", s.Server.ShellImage, "true"))).Is(201);

            await s.UntilAsync("the pod has a node", async () => (await s.GetAsync($"{s.Pods}/a"))
                .Is(200).At("spec", "nodeName") is not null);
        })
        {
            Needs = Needs.Node,
        },
        new("A pod whose container exits with 0 is Succeeded", Sources.PodLifecycle, async s =>
        {
            (await s.PostAsync(s.Pods, Make.Pod("a", s.Server.ShellImage, "exit 0"))).Is(201);

            await PhaseAsync(s, "Succeeded");
        })
        {
            Needs = Needs.Pods,
        },
        new("A pod whose container exits otherwise and is not restarted is Failed, and says the exit code", Sources.PodLifecycle, async s =>
        {
            (await s.PostAsync(s.Pods, Make.Pod("a", s.Server.ShellImage, "exit 7"))).Is(201);

            await PhaseAsync(s, "Failed");
            (await s.GetAsync($"{s.Pods}/a")).Equal(7, "status", "containerStatuses", "0", "state", "terminated", "exitCode");
        })
        {
            Needs = Needs.Pods,
        },
        new("What a container prints is its log", Sources.PodLifecycle, async s =>
        {
            (await s.PostAsync(s.Pods, Make.Pod("a", s.Server.ShellImage, "echo hello"))).Is(201);

            await PhaseAsync(s, "Succeeded");
            Assert.Equal("hello\n", (await s.GetAsync($"{s.Pods}/a/log")).Is(200).Body);
        })
        {
            Needs = Needs.Pods,
        },
        new("A running pod that is deleted is marked with its grace period, and then goes", Sources.PodLifecycle, async s =>
        {
            (await s.PostAsync(s.Pods, Make.Pod("a", s.Server.ShellImage, "sleep 600"))).Is(201);
            await PhaseAsync(s, "Running");

            (await s.DeleteAsync($"{s.Pods}/a")).Is(200).Equal(5, "metadata", "deletionGracePeriodSeconds");

            await s.GoneAsync($"{s.Pods}/a");
        })
        {
            Needs = Needs.Pods,
        },
        new("The collection of pods can be selected by phase", Sources.FieldSelectors, async s =>
        {
            (await s.PostAsync(s.Pods, Make.Pod("a", s.Server.ShellImage, "true"))).Is(201);

            await PhaseAsync(s, "Succeeded");
            Assert.Equal(["a"], (await s.GetAsync($"{s.Pods}?fieldSelector=status.phase%3DSucceeded")).Is(200).Names);
            Assert.Empty((await s.GetAsync($"{s.Pods}?fieldSelector=status.phase%3DFailed")).Is(200).Names);
        })
        {
            Needs = Needs.Pods,
        },
    ]);

    private static Task PhaseAsync(Space s, string phase) =>
        s.UntilAsync($"the pod is {phase}", async () => (string?)(await s.GetAsync($"{s.Pods}/a")).Is(200).At("status", "phase") == phase);
}
