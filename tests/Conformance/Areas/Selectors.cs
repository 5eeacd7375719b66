using Graft.Conformance.Harness;

namespace Graft.Conformance.Areas;

internal static class Selectors
{
    public static Area Area => new("Selectors",
    [
        Labels("An equality selects objects with that value", Sources.Labels, "tier=front", "a"),
        Labels("A double equals sign means the same", Sources.Labels, "tier==front", "a"),
        Labels("An inequality selects other values and objects without the label", Sources.Labels, "tier!=front", "b,c,d"),
        Labels("in selects objects with one of the values", Sources.Labels, "tier in (front,back)", "a,b"),
        Labels("notin selects other values and objects without the label", Sources.Labels, "tier notin (front,back)", "c,d"),
        Labels("A key alone selects objects with the label", Sources.Labels, "tier", "a,b,c"),
        Labels("An exclamation mark selects objects without the label", Sources.Labels, "!tier", "d"),
        Labels("Requirements are joined by commas, and all have to hold", Sources.Labels, "tier,tier!=front,env=prod", "b"),
        Labels("An empty value selects objects whose label is empty", Sources.LabelParser, "tier=", "c"),
        Labels("A greater-than compares whole numbers", Sources.LabelParser, "weight>5", "b"),
        Labels("A less-than compares whole numbers", Sources.LabelParser, "weight<10", "a"),
        Labels("A selector that nothing matches gives an empty list", Sources.Labels, "tier=none", ""),
        Labels("Keys may have a prefix", Sources.Labels, "example.com/team=x", "d"),
        Case.Refused("A label selector that cannot be parsed is refused", Sources.LabelParser,
            s => s.GetAsync($"{s.Secrets}?labelSelector={Uri.EscapeDataString("tier in front")}"), 400, "BadRequest",
                "unable to parse requirement"),
        Case.Refused("A label selector with a wrong key is refused", Sources.LabelParser,
            s => s.GetAsync($"{s.Secrets}?labelSelector={Uri.EscapeDataString("-tier=x")}"), 400, "BadRequest",
                "unable to parse requirement"),
        Case.Refused("A greater-than with a value that is no number is refused", Sources.LabelParser,
            s => s.GetAsync($"{s.Secrets}?labelSelector={Uri.EscapeDataString("tier>x")}"), 400, "BadRequest",
                "unable to parse requirement"),
        Fields("A field selector finds one object by its name", Sources.FieldSelectors, "metadata.name=b", "b"),
        Fields("A double equals sign in a field selector means the same", Sources.FieldSelectors, "metadata.name==b", "b"),
        Fields("A field selector can exclude", Sources.FieldSelectors, "metadata.name!=b", "a,c,d"),
        Fields("Field selectors are joined by commas", Sources.FieldSelectors, "metadata.name!=b,metadata.name!=c", "a,d"),
        Fields("Secrets are selected by type", Sources.FieldSelectors, "type=example.com/special", "d"),
        new("Objects of all namespaces are selected by namespace", Sources.FieldSelectors, async s =>
        {
            await FillAsync(s);

            Assert.Equal(["a", "b", "c", "d"], (await s.GetAsync($"/api/v1/secrets?fieldSelector=metadata.namespace%3D{s.Name}"))
                .Is(200).Names);
        }),
        new("Label and field selectors both have to hold", Sources.FieldSelectors, async s =>
        {
            await FillAsync(s);

            Assert.Equal(["b"], (await s.GetAsync($"{s.Secrets}?labelSelector=tier&fieldSelector=metadata.name%3Db")).Is(200).Names);
        }),
        Case.Refused("A field that is not selectable is refused", Sources.FieldSelectors,
            s => s.GetAsync($"{s.ConfigMaps}?fieldSelector=data.k%3D1"), 400, "BadRequest",
                "\"data.k\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
        Case.Refused("A field that is not selectable is refused in other words by kinds that have selectable fields of their own",
            Sources.CoreConversion, s => s.GetAsync($"{s.Secrets}?fieldSelector=data.k%3D1"), 400, "BadRequest",
            "field label not supported: data.k"),
        Case.Refused("A field selector without an operator is refused", Sources.FieldParser,
            s => s.GetAsync($"{s.ConfigMaps}?fieldSelector=metadata.name"), 400, "BadRequest", "invalid selector"),
        new("Custom objects are selected by the fields that their definition names", Sources.CustomFields, async s =>
        {
            await s.WidgetAsync("slow");
            await s.WidgetAsync("fast", """{"mode": "Fast"}""");

            Assert.Equal(["fast"], (await s.GetAsync($"{s.Widgets}?fieldSelector=spec.mode%3DFast")).Is(200).Names);
            Assert.Equal(["slow"], (await s.GetAsync($"{s.Widgets}?fieldSelector=spec.mode!%3DFast")).Is(200).Names);
        }),
        Case.Refused("Other fields of custom objects are not selectable", Sources.CustomFields,
            s => s.GetAsync($"{s.Widgets}?fieldSelector=spec.text%3Dx"), 400, "BadRequest", "field label not supported: spec.text"),
    ]);

    private static Case Labels(string sentence, Source source, string selector, string names) => new(sentence, source, async s =>
    {
        await FillAsync(s);
        Assert.Equal(names, string.Join(',', (await s.GetAsync($"{s.Secrets}?labelSelector={Uri.EscapeDataString(selector)}"))
            .Is(200).Names));
    });

    private static Case Fields(string sentence, Source source, string selector, string names) => new(sentence, source, async s =>
    {
        await FillAsync(s);
        Assert.Equal(names, string.Join(',', (await s.GetAsync($"{s.Secrets}?fieldSelector={Uri.EscapeDataString(selector)}"))
            .Is(200).Names));
    });

    private static async Task FillAsync(Space s)
    {
        (string Name, string Labels)[] objects =
        [
            ("a", """{"tier": "front", "env": "prod", "weight": "5"}"""),
            ("b", """{"tier": "back", "env": "prod", "weight": "10"}"""),
            ("c", """{"tier": "", "env": "test"}"""),
            ("d", """{"example.com/team": "x"}"""),
        ];
        foreach (var (name, labels) in objects)
        {
            var secret = Make.Secret(name).With(Json.Object(labels), "metadata", "labels");
            if (name == "d") secret["type"] = "example.com/special";
            (await s.PostAsync(s.Secrets, secret)).Is(201);
        }
    }
}
