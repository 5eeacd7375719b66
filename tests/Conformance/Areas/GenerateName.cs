using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static partial class GenerateName
{
    public static Area Area => new("Generated names",
    [
        new("generateName gives a name of the prefix and five more characters", Sources.NameGenerator, async s =>
        {
            var made = (await s.PostAsync(s.ConfigMaps, Prefixed("a-"))).Is(201);

            Assert.Matches(Five(), made.Name);
            (await s.GetAsync(s.ConfigMap(made.Name))).Is(200).Equal("a-", "metadata", "generateName");
        }),
        new("Each object of one generateName has a name of its own", Sources.NameGenerator, async s =>
        {
            var names = new List<string>();
            for (var i = 0; i < 5; i++)
                names.Add((await s.PostAsync(s.ConfigMaps, Prefixed("a-"))).Is(201).Name);

            Assert.Equal(5, names.Distinct().Count());
        }),
        new("A name that is given stands, and generateName stays beside it", Sources.Idempotency, async s =>
            (await s.PostAsync(s.ConfigMaps, Make.ConfigMap("b").With("a-", "metadata", "generateName"))).Is(201)
                .Equal("b", "metadata", "name").Equal("a-", "metadata", "generateName")),
        new("A long prefix is cut, so that the name has at most 63 characters", Sources.NameGenerator, async s =>
        {
            var prefix = new string('a', 80);

            var name = (await s.PostAsync(s.ConfigMaps, Prefixed(prefix))).Is(201).Name;

            Assert.Equal(63, name.Length);
            Assert.StartsWith(prefix[..58], name, StringComparison.Ordinal);
        }),
        Case.Refused("A prefix that no name can have is refused", Sources.ObjectMeta,
            s => s.PostAsync(s.ConfigMaps, Prefixed("A_")), 422, "Invalid", "metadata.generateName: Invalid value: \"A_\""),
        Case.Refused("An object needs a name or generateName", Sources.ObjectMeta,
            s => s.PostAsync(s.ConfigMaps, Make.ConfigMap("x").Without("metadata", "name")), 422, "Invalid",
            "metadata.name: Required value: name or generateName is required"),
        new("Custom objects have generated names too", Sources.NameGenerator, async s =>
            Assert.Matches(Five(), (await s.PostAsync(s.Widgets, s.Server.Widgets.Make("x").Without("metadata", "name")
                .With("a-", "metadata", "generateName"))).Is(201).Name)),
    ]);

    private static JsonObject Prefixed(string prefix) => Make.ConfigMap("x").Without("metadata", "name")
        .With(prefix, "metadata", "generateName");

    [GeneratedRegex("^a-[a-z0-9]{5}$")]
    private static partial Regex Five();
}
