using System.Text.Json;
using Graft.Modeling.Adapters;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Lora;

/// <summary>A run of PEFT's, and its base model.</summary>
internal sealed class LoraCase(string name) : IDisposable
{
    public BaseModel Model { get; } = Fixtures.Case(
        System.IO.Path.GetFileName(Fixtures.Json("peft", name, "train.json").GetProperty("base").GetString()!));

    public string Path(params string[] parts) => Fixtures.Path(["peft", name, .. parts]);

    public JsonElement Json(params string[] parts) => Fixtures.Json(["peft", name, .. parts]);

    /// <summary>The method that made a folder of the case, attached with the folder's values.</summary>
    public TuningMethod Attached(string folder)
    {
        using var opened = AdapterFolder.Open(Path(folder));
        var method = TuningMethods.Of(opened);
        method.Attach(Model, new Generator(0));
        using var guard = no_grad();
        Assert.Equal(
            opened.Weights.Tensors.Keys.Order(StringComparer.Ordinal), method.Trainable.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (var (key, parameter) in method.Trainable) parameter.copy_(opened.Weights.Map(key));
        return method;
    }

    /// <summary>A row for each real token of a decoder, for each text of a classifier.</summary>
    public Tensor Logits(long[] ids, int[] lengths, params LoadedAdapter?[] adapters)
    {
        var (segments, at) = (new List<Segment>(), 0);
        for (var r = 0; r < lengths.Length; at += lengths[r++]) segments.Add(new Segment(at, lengths[r], null, adapters[r]));
        using var pass = new Pass(segments, Model.Device);
        if (Model.Config.Task == ModelTask.Classification) return Model.Classifier.Forward(tensor(ids), pass);
        return Model.Network.Logits(
            Model.Network.Forward(tensor(ids), pass), [.. lengths.SelectMany((l, r) => Enumerable.Repeat(adapters[r], l))]);
    }

    /// <summary>Rows of padded logits as <see cref="Logits"/> has them.</summary>
    public Tensor Rows(Tensor logits, int[] lengths) =>
        Model.Config.Task == ModelTask.Classification ? logits : cat([.. lengths.Select((l, r) => logits[r].narrow(0, 0, l))]);

    /// <summary>Runs a step's batch forward and backward.</summary>
    public double Backward(JsonElement step)
    {
        var (ids, lengths) = Fixtures.Rows(Longs(step, "input_ids"), Longs(step, "attention_mask"));
        using var pass = Pass.OfLengths(lengths, Model.Device);
        Tensor loss;
        if (Model.Config.Task == ModelTask.Classification)
        {
            var labels = tensor(step.GetProperty("labels").EnumerateArray().Select(v => v.GetInt64()).ToArray());
            loss = nn.functional.cross_entropy(Model.Classifier.Forward(tensor(ids), pass), labels);
        }
        else
        {
            var (rows, targets) = Models.ModelFixtureTests.Supervised(Longs(step, "labels"), lengths);
            var hidden = Model.Network.Forward(tensor(ids), pass).index_select(0, tensor(rows));
            loss = Model.Network.LossSum(hidden, tensor(targets), pass).div(rows.Length);
        }
        loss.backward();
        return loss.item<float>();
    }

    public void Dispose() => Model.Dispose();

    public static string InMemory(string key)
    {
        foreach (var part in new[] { ".lora_A", ".lora_B", ".lora_magnitude_vector" })
            if (key.Contains(part + ".", StringComparison.Ordinal) || key.EndsWith(part, StringComparison.Ordinal))
                return key.Replace(part, part + ".default", StringComparison.Ordinal) + (part == ".lora_magnitude_vector" ? ".weight" : "");
        return key.Insert(key.LastIndexOf('.'), ".modules_to_save.default");
    }

    private static Tensor Longs(JsonElement step, string field)
    {
        var rows = step.GetProperty(field).EnumerateArray().Select(r => r.EnumerateArray().Select(v => v.GetInt64()).ToArray()).ToArray();
        return tensor(rows.SelectMany(r => r).ToArray()).view(rows.Length, rows[0].Length);
    }
}
