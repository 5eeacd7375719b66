using System.Text.Json.Nodes;

namespace Graft.Conformance.Areas;

internal static class Health
{
    private static readonly string[] Endpoints = ["/healthz", "/livez", "/readyz"];

    public static Area Area => new("Version and health",
    [
        new("/version names major and minor as texts, and the whole as gitVersion", Sources.VersionInfo, async s =>
        {
            var version = (await s.GetAsync("/version")).Is(200);

            Assert.StartsWith($"v{version.Text("major")}.{version.Text("minor").TrimEnd('+')}.", version.Text("gitVersion"), StringComparison.Ordinal);
        }),
        new("/version names the build: commit, state of the tree, date, go, compiler and platform", Sources.VersionInfo, async s =>
        {
            var version = (await s.GetAsync("/version")).Is(200);

            Assert.All((string[])["gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"], name => version.Text(name));
        }),
        .. Endpoints.Select(path => new Case($"{path} answers ok in plain text", Sources.HealthEndpoints, async s =>
        {
            var answer = (await s.GetAsync(path, accept: null)).Is(200);

            Assert.Equal("ok", answer.Body);
            Assert.Equal("text/plain", answer.ContentType);
        })),
        .. Endpoints.Select(path => new Case($"{path}?verbose lists its checks and says that they passed", Sources.HealthHandler, async s =>
        {
            var lines = (await s.GetAsync(path + "?verbose", accept: null)).Is(200).Body.TrimEnd('\n').Split('\n');

            Assert.Contains("[+]ping ok", lines);
            Assert.All(lines[..^1], line => Assert.Matches(@"^\[\+\].+ ok$", line));
            Assert.Equal($"{path[1..]} check passed", lines[^1]);
        })),
        new("A check that is excluded is said to be", Sources.HealthEndpoints, async s => Assert.Contains("[+]ping excluded: ok\n",
            (await s.GetAsync("/livez?verbose&exclude=ping", accept: null)).Is(200).Body, StringComparison.Ordinal)),
        new("A check that cannot be excluded is named", Sources.HealthHandler, async s =>
            Assert.Contains("warn: some health checks cannot be excluded: no matches for \"nosuch\"\n",
                (await s.GetAsync("/livez?verbose&exclude=nosuch", accept: null)).Is(200).Body, StringComparison.Ordinal)),
        .. Endpoints.Select(path => new Case($"Each check has a path of its own: {path}/ping", Sources.HealthEndpoints, async s =>
            Assert.Equal("ok", (await s.GetAsync(path + "/ping", accept: null)).Is(200).Body))),
        new("A check that there is not is not found", Sources.HealthHandler, async s =>
            (await s.GetAsync("/livez/nosuch", accept: null)).Is(404)),
        new("/ lists the paths that there are", Sources.DiscoveryApi, async s =>
        {
            var paths = ((JsonArray)(await s.GetAsync("/")).Is(200).At("paths")!).Select(path => (string?)path).ToList();

            Assert.All((string[])["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/livez", "/openapi/v3", "/version"],
                path => Assert.Contains(path, paths));
        }),
        new("A path that there is not is answered with 404", Sources.DiscoveryApi, async s => (await s.GetAsync("/nosuch")).Is(404)),
    ]);
}
