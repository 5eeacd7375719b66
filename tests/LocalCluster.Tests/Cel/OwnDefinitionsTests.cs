using System.Text.Json.Nodes;
using Graft.LocalCluster.Api.Writing;
using Graft.LocalCluster.Cel;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Tests.Cel;

public sealed class OwnDefinitionsTests
{
    [Theory]
    [InlineData("finetunejobs.yaml")]
    [InlineData("adapterdeployments.yaml")]
    public void The_shipped_definitions_are_structural_and_their_rules_compile(string file)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Operator.sln")))
        {
            root = root.Parent;
        }
        var definition = YamlBody.Parse(File.ReadAllBytes(Path.Combine(root!.FullName, "crds", file)), [])!;
        foreach (var version in definition["spec"]!["versions"]!.AsArray())
        {
            var schema = StructuralSchema.Parse((JsonObject)version!["schema"]!["openAPIV3Schema"]!, "schema", out var errors);
            Assert.Empty(errors.Select(e => e.ToString()));
            Assert.NotNull(CelRules.Compile(schema!, "schema", out errors));
            Assert.Empty(errors.Select(e => e.ToString()));
        }
    }
}
