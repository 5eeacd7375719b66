using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.RealModel;

/// <summary>all-MiniLM-L6-v2, an encoder, against transformers on the same weights in float32.</summary>
[Collection(TorchCollection.Name)]
public sealed class MiniLmTests
{
    [SkippableFact]
    public void Texts_are_pooled_and_compared_as_by_the_reference()
    {
        var folder = Fixtures.RealModel("minilm-l6");
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = BaseModel.Load(
            folder, new LoadOptions(Fixtures.Cpu, ScalarType.Float32, RequireTokenizer: false, Task: ModelTask.Embedding));
        var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json"))).RootElement;
        var cases = expected.GetProperty("cases").EnumerateArray().ToList();
        var texts = cases.Select(c => c.GetProperty("ids").EnumerateArray().Select(i => i.GetInt64()).ToArray()).ToList();
        using var pass = Pass.OfLengths([.. texts.Select(t => t.Length)], model.Device);

        var hidden = model.Encoder.Forward(tensor(texts.SelectMany(t => t).ToArray()), pass);
        var (pooled, means) = (model.Encoder.Pool(hidden, pass), TextEncoder.Mean(hidden, pass));
        for (var i = 0; i < cases.Count; i++)
        {
            AssertClose(cases[i].GetProperty("pooled8"), pooled[i]);
            AssertClose(cases[i].GetProperty("embedding8"), means[i]);
            AssertClose(expected.GetProperty("cosine")[i], means.matmul(means[i]));
        }
    }

    private static void AssertClose(JsonElement wanted, Tensor found)
    {
        var values = found.data<float>().ToArray();
        var pairs = wanted.EnumerateArray().Select((v, i) => (Wanted: v.GetDouble(), Found: values[i]));
        Assert.All(pairs, p => Assert.Equal(p.Wanted, p.Found, 1e-4));
    }
}
