namespace Graft.Conformance.Areas;

internal static class ResourceVersions
{
    public static Area Area => new("Resource versions",
    [
        new("Every change gives the object another resourceVersion", Sources.Versions, async s =>
        {
            var versions = new List<string> { (await s.ConfigMapAsync("a")).Version };
            foreach (var value in (string[])["1", "2", "3"])
                versions.Add((await s.PatchAsync(s.ConfigMap("a"), "merge", $$$"""{"data": {"k": "{{{value}}}"}}""")).Is(200).Version);

            Assert.Equal(4, versions.Distinct().Count());
        }),
        new("A list has a resourceVersion of its own, even when it is empty", Sources.Versions, async s =>
        {
            var list = (await s.GetAsync(s.Secrets)).Is(200);

            Assert.Empty(list.Items);
            Assert.NotEmpty(list.Version);
        }),
        new("Reading does not change a resourceVersion", Sources.Versions, async s =>
        {
            var made = await s.ConfigMapAsync("a");
            (await s.GetAsync(s.ConfigMap("a"))).Is(200);

            (await s.GetAsync(s.ConfigMap("a"))).Is(200).Equal(made.Version, "metadata", "resourceVersion");
        }),
        new("A get with resourceVersion 0 may answer from any moment", Sources.VersionSemantics, async s =>
        {
            await s.ConfigMapAsync("a");

            await s.UntilAsync("the object is there at any version", async () =>
                (await s.GetAsync($"{s.ConfigMap("a")}?resourceVersion=0")).Code == 200);
        }),
        new("A get with a resourceVersion shows the object not older than that", Sources.VersionSemantics, async s =>
        {
            await s.ConfigMapAsync("a");
            var changed = (await s.PatchAsync(s.ConfigMap("a"), "merge", """{"data": {"k": "1"}}""")).Is(200);

            (await s.GetAsync($"{s.ConfigMap("a")}?resourceVersion={changed.Version}")).Is(200).Equal("1", "data", "k");
        }),
        new("A get of a resourceVersion that is not there yet times out with 504", Sources.TooNew, async s =>
        {
            var made = await s.ConfigMapAsync("a");

            (await s.GetAsync($"{s.ConfigMap("a")}?resourceVersion={Later(made.Version)}"))
                .Refuses(504, "Timeout", "Too large resource version");
        }),
        new("A list of a resourceVersion that is not there yet times out with 504", Sources.TooNew, async s =>
        {
            var list = (await s.GetAsync(s.Secrets)).Is(200);

            (await s.GetAsync($"{s.Secrets}?resourceVersion={Later(list.Version)}&resourceVersionMatch=NotOlderThan"))
                .Refuses(504, "Timeout", "Too large resource version");
        }),
        new("A list that is not older than a version has everything up to it", Sources.VersionSemantics, async s =>
        {
            await s.SecretsAsync("a");
            var version = (await s.GetAsync(s.Secret("a"))).Version;

            var list = (await s.GetAsync($"{s.Secrets}?resourceVersion={version}&resourceVersionMatch=NotOlderThan")).Is(200);

            Assert.Equal(["a"], list.Names);
        }),
        new("A list of an exact earlier version shows that moment", Sources.VersionSemantics, async s =>
        {
            await s.SecretsAsync("a", "b");
            var before = (await s.GetAsync(s.Secrets)).Is(200);
            await s.SecretsAsync("c");
            (await s.DeleteAsync(s.Secret("a"))).Is(200);
            (await s.PatchAsync(s.Secret("b"), "merge", """{"metadata": {"labels": {"late": "yes"}}}""")).Is(200);

            var list = (await s.GetAsync($"{s.Secrets}?resourceVersion={before.Version}&resourceVersionMatch=Exact")).Is(200);

            Assert.Equal(["a", "b"], list.Names);
            list.Equal(before.Version, "metadata", "resourceVersion").Absent("items", "1", "metadata", "labels");
        }),
        new("A list with a limit and a resourceVersion shows exactly that version", Sources.VersionSemantics, async s =>
        {
            await s.SecretsAsync("a");
            var before = (await s.GetAsync(s.Secrets)).Is(200);
            await s.SecretsAsync("b");

            Assert.Equal(["a"], (await s.GetAsync($"{s.Secrets}?resourceVersion={before.Version}&limit=10")).Is(200).Names);
        }),
        Case.Refused("A resourceVersionMatch without a resourceVersion is refused", Sources.ListOptions,
            s => s.GetAsync($"{s.Secrets}?resourceVersionMatch=Exact"), 422, "Invalid",
            "ListOptions.meta.k8s.io \"\" is invalid", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        Case.Refused("A resourceVersionMatch of another name is refused", Sources.ListOptions,
            s => s.GetAsync($"{s.Secrets}?resourceVersion=1&resourceVersionMatch=Nearly"), 422, "Invalid",
                "resourceVersionMatch: Unsupported value: \"Nearly\""),
        Case.Refused("An exact match of version 0 is refused", Sources.ListOptions,
            s => s.GetAsync($"{s.Secrets}?resourceVersion=0&resourceVersionMatch=Exact"), 422, "Invalid",
                "is forbidden for resourceVersion \"0\""),
        Case.Refused("A resourceVersionMatch on a following page is refused", Sources.ListOptions,
            s => s.GetAsync($"{s.Secrets}?resourceVersion=1&resourceVersionMatch=Exact&continue=x"), 422, "Invalid",
            "resourceVersionMatch is forbidden when continue is provided"),
        Case.Refused("sendInitialEvents is for watches, not for lists", Sources.ListOptions,
            s => s.GetAsync($"{s.Secrets}?sendInitialEvents=true"), 422, "Invalid", "sendInitialEvents is forbidden for list"),
    ]);

    /// <summary>A version that no server has reached yet.</summary>
    private static string Later(string version) =>
        (ulong.Parse(version, System.Globalization.CultureInfo.InvariantCulture) + 1_000_000_000).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
