using System.Text.Json;
using Graft.Modeling.Tests.Tokenizers;

namespace Graft.Modeling.Tests.RealModel;

/// <summary>The WordPiece tokenizer of all-MiniLM-L6-v2.</summary>
public sealed class MiniLmTokenizerTests
{
    [SkippableFact]
    public void Texts_become_the_references_tokens()
    {
        var folder = Fixtures.RealModel("minilm-l6");
        var tokenizer = TokenizerCases.Open(folder);
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json")));
        foreach (var @case in expected.RootElement.GetProperty("cases").EnumerateArray())
            Assert.Equal(@case.Ints("ids"), tokenizer.Encode(@case.Text("text"), addSpecialTokens: true));
    }
}
