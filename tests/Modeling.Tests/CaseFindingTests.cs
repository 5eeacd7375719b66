namespace Graft.Modeling.Tests;

/// <summary>No case of golden data may be left out because a file of it is missing.</summary>
public sealed class CaseFindingTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("graft-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_folder_without_any_marker_is_no_case_unless_it_holds_cases_or_is_part_of_one()
    {
        Make("whole", "model.gguf");
        Make("lora", "adapter.gguf");
        Make("deep/one", "model.gguf");
        Make("deep/two", "expected.json");
        Make("whole/part", "x.bin");
        Make("broken", "expected.json");
        Directory.CreateDirectory(At("empty"));

        Assert.Equal([At("broken"), At("deep/two"), At("empty")], FixtureSets.NotCases(folder.FullName, ["model.gguf", "adapter.gguf"]));
        Assert.Contains(At("lora"), FixtureSets.NotCases(folder.FullName, ["model.gguf"]));
    }

    [Theory]
    [InlineData("models", "expected.json")]
    [InlineData("tokenizers", "cases.jsonl")]
    [InlineData("chat", "cases.jsonl")]
    [InlineData("peft", "train.json")]
    public void Every_folder_of_the_repositorys_own_groups_is_a_case(string group, string marker) =>
        Assert.Empty(FixtureSets.NotCases(Fixtures.Path(group), [marker]));

    private string At(string name) => Path.Combine(folder.FullName, name);

    private void Make(string name, string file)
    {
        Directory.CreateDirectory(At(name));
        File.WriteAllText(Path.Combine(At(name), file), "");
    }
}
