using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Lora;

/// <summary>A base model of the fixtures, LoRAs on it, and a folder to save them in.</summary>
internal sealed class LoraRun(string name = "llama", Quantization? quantization = null, ScalarType dtype = ScalarType.Float32) : IDisposable
{
    public static readonly long[] Ids = [9, 100, 200, 300, 17, 41];

    public BaseModel Model { get; } = BaseModel.Load(
        name.EndsWith(".gguf", StringComparison.Ordinal) ? Fixtures.Path("gguf", name) : Fixtures.Path("models", name),
        new LoadOptions(Fixtures.Cpu, dtype, RequireTokenizer: false, Task: null, Quantization: quantization));

    public string Folder { get; } = Directory.CreateTempSubdirectory("graft-").FullName;

    /// <summary>A fresh one, with noise on all that trains where asked for.</summary>
    public TuningMethod Attach(LoraMethod options, double noise = 0)
    {
        var method = TuningMethods.Create(new Method { Lora = options });
        method.Attach(Model, new Generator(1));
        if (noise != 0) Disturb(method, noise);
        return method;
    }

    public static void Disturb(TuningMethod method, double by)
    {
        using var guard = no_grad();
        using var rng = new Generator(2);
        foreach (var (_, parameter) in method.Trainable) parameter.add_(randn(parameter.shape, generator: rng), alpha: by);
    }

    /// <summary>Logits of what is attached, or of the base; or of an adapter.</summary>
    public Tensor Logits(LoadedAdapter? adapter = null) => Logits([adapter], Ids);

    /// <summary>Logits of texts side by side, all with the same ids.</summary>
    public Tensor Logits(IReadOnlyList<LoadedAdapter?> adapters, long[] ids)
    {
        using var pass = new Pass([.. adapters.Select((a, i) => new Segment(i * ids.Length, ids.Length, null, a))], Model.Device);
        var all = tensor(Enumerable.Repeat(ids, adapters.Count).SelectMany(i => i).ToArray());
        return Model.Transformer is SequenceClassifier classifier
            ? classifier.Forward(all, pass)
            : Model.Network.Logits(Model.Network.Forward(all, pass), [.. adapters.SelectMany(a => Enumerable.Repeat(a, ids.Length))]);
    }

    /// <summary>The loss of predicting each token after the first.</summary>
    public Tensor Loss()
    {
        using var pass = Pass.OfLengths([Ids.Length], Model.Device);
        if (Model.Transformer is SequenceClassifier classifier)
            return nn.functional.cross_entropy(classifier.Forward(tensor(Ids), pass), tensor(new long[] { 1 }));
        var hidden = Model.Network.Forward(tensor(Ids), pass).narrow(0, 0, Ids.Length - 1);
        return Model.Network.LossSum(hidden, tensor(Ids[1..]), pass);
    }

    /// <summary>Saves the method, takes it off the model and loads what was saved.</summary>
    public LoadedAdapter SaveAndLoad(TuningMethod method)
    {
        method.Save(Folder, Model, "base");
        method.Enabled = false;
        return LoadedAdapter.Load(Model, "a", Folder);
    }

    public void Dispose()
    {
        Model.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
