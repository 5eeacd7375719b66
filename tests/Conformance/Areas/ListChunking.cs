using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class ListChunking
{
    public static Area Area => new("Lists in chunks",
    [
        new("A list with a limit has at most that many items, and a token for the next ones", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "b", "c");

            var page = (await s.GetAsync($"{s.Secrets}?limit=2")).Is(200);

            Assert.Equal(["a", "b"], page.Names);
            Assert.NotEmpty(page.Text("metadata", "continue"));
        }),
        new("Following the tokens gives every object once, in the order of names", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("e", "b", "d", "a", "c");

            Assert.Equal(["a", "b", "c", "d", "e"], (await PagesAsync(s, s.Secrets, "limit=2")).SelectMany(page => page.Names));
        }),
        new("All pages of a list have the same resourceVersion", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "b", "c", "d");

            Assert.Single((await PagesAsync(s, s.Secrets, "limit=1")).Select(page => page.Version).Distinct());
        }),
        new("What is created after the first page is not in the following ones", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "c");
            var first = (await s.GetAsync($"{s.Secrets}?limit=1")).Is(200);
            await s.SecretsAsync("b");

            Assert.Equal(["c"], (await NextAsync(s, s.Secrets, "limit=5", first)).Names);
        }),
        new("What is deleted after the first page is still in the following ones", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "b");
            var first = (await s.GetAsync($"{s.Secrets}?limit=1")).Is(200);
            (await s.DeleteAsync(s.Secret("b"))).Is(200);

            Assert.Equal(["b"], (await NextAsync(s, s.Secrets, "limit=5", first)).Names);
        }),
        new("What changes after the first page is shown as it was", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "b");
            var first = (await s.GetAsync($"{s.Secrets}?limit=1")).Is(200);
            (await s.PatchAsync(s.Secret("b"), "merge", """{"metadata": {"labels": {"late": "yes"}}}""")).Is(200);

            (await NextAsync(s, s.Secrets, "limit=5", first)).Absent("items", "0", "metadata", "labels");
        }),
        new("A page without selectors says how many items follow", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "b", "c", "d");

            (await s.GetAsync($"{s.Secrets}?limit=1")).Is(200).Equal(3, "metadata", "remainingItemCount");
        }),
        new("A page with a selector does not say how many items follow", Sources.Chunks, async s =>
        {
            await s.LabelledAsync("a", "x", "1");
            await s.LabelledAsync("b", "x", "1");

            (await s.GetAsync($"{s.Secrets}?limit=1&labelSelector=x%3D1")).Is(200).Absent("metadata", "remainingItemCount");
        }),
        new("The last page has no token", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "b");

            (await PagesAsync(s, s.Secrets, "limit=1"))[^1].Absent("metadata", "continue").Absent("metadata", "remainingItemCount");
        }),
        new("A limit that is not reached gives the whole list without a token", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "b");

            var whole = (await s.GetAsync($"{s.Secrets}?limit=2")).Is(200).Absent("metadata", "continue");
            Assert.Equal(["a", "b"], whole.Names);
        }),
        new("Pages are filled with what the selector lets through", Sources.Chunks, async s =>
        {
            foreach (var name in (string[])["a", "b", "c", "d", "e"])
                await s.LabelledAsync(name, "odd", name is "a" or "c" or "e" ? "yes" : "no");

            var pages = await PagesAsync(s, s.Secrets, "limit=2&labelSelector=odd%3Dyes");

            Assert.Equal(["a", "c"], pages[0].Names);
            Assert.Equal(["a", "c", "e"], pages.SelectMany(page => page.Names));
        }),
        new("Lists over all namespaces come in chunks too", Sources.Chunks, async s =>
        {
            var other = await s.OtherNamespaceAsync();
            await s.LabelledAsync("a", s.Name, "x");
            (await s.PostAsync($"/api/v1/namespaces/{other}/secrets", Make.Secret("b").With("x", "metadata", "labels", s.Name))).Is(201);

            var pages = await PagesAsync(s, "/api/v1/secrets", $"limit=1&labelSelector={s.Name}");

            Assert.Equal(["a", "b"], pages.SelectMany(page => page.Names).Order());
        }),
        new("Tables come in chunks", Sources.Chunks, async s =>
        {
            await s.SecretsAsync("a", "b");

            var page = (await s.GetAsync($"{s.Secrets}?limit=1", "application/json;as=Table;v=v1;g=meta.k8s.io")).Is(200);

            Assert.Single((page.At("rows") as System.Text.Json.Nodes.JsonArray)!);
            Assert.NotEmpty(page.Text("metadata", "continue"));
        }),
        Case.Refused("A token that no server made is refused", Sources.ContinueTokens,
            s => s.GetAsync($"{s.Secrets}?limit=1&continue=nonsense"), 400, "BadRequest", "continue key is not valid"),
        new("A token cannot be used together with a resourceVersion", Sources.Etcd, async s =>
        {
            await s.SecretsAsync("a", "b");
            var first = (await s.GetAsync($"{s.Secrets}?limit=1")).Is(200);

            (await s.GetAsync($"{s.Secrets}?limit=1&resourceVersion={first.Version}&continue={Token(first)}"))
                .Refuses(400, "BadRequest", "specifying resource version is not allowed when using continue");
        }),
    ]);

    private static string Token(Answer page) => Uri.EscapeDataString(page.Text("metadata", "continue"));

    private static async Task<Answer> NextAsync(Space s, string path, string query, Answer page) =>
        (await s.GetAsync($"{path}?{query}&continue={Token(page)}")).Is(200);

    private static async Task<List<Answer>> PagesAsync(Space s, string path, string query)
    {
        var pages = new List<Answer> { (await s.GetAsync($"{path}?{query}")).Is(200) };
        while (pages[^1].At("metadata", "continue") is not null)
            pages.Add(await NextAsync(s, path, query, pages[^1]));
        return pages;
    }
}
