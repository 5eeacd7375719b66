using System.Text.Json.Nodes;
using Graft.LocalCluster.Kinds;

namespace Graft.LocalCluster.Tests.Kinds;

public sealed class KindCatalogTests
{
    [Fact]
    public void A_definition_that_goes_leaves_what_its_successor_serves()
    {
        var catalog = new KindCatalog();
        catalog.Define(Definition("old"));
        catalog.Define(Definition("new"));
        catalog.Undefine(Definition("old"));
        Assert.NotNull(catalog.Find("example.com", "v1", "widgets"));
        catalog.Undefine(Definition("new"));
        Assert.Null(catalog.Find("example.com", "v1", "widgets"));
        Assert.NotNull(catalog.Find("", "v1", "pods"));
    }

    private static JsonObject Definition(string uid) => JsonNode.Parse($$$$"""
        {"metadata":{"name":"widgets.example.com","uid":"{{{{uid}}}}"},
         "spec":{"group":"example.com","scope":"Namespaced","names":{"kind":"Widget","plural":"widgets"},
          "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}
        """)!.AsObject();
}
