using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Runs;
using static TorchSharp.torch;

namespace Graft.Trainer.Merging;

/// <summary>What models are asked, to compare what they answer.</summary>
/// <param name="Texts">Empty: a few that stand here.</param>
/// <param name="Precision">Arithmetic.</param>
/// <param name="MaxDifference">Largest difference of a logit that is taken; null: see <see cref="Parity"/>.</param>
internal sealed record ParityPrompts(IReadOnlyList<string> Texts, Precision Precision, double? MaxDifference)
{
    /// <summary>Longer prompts are cut: logits of all positions are kept.</summary>
    private const int MaxTokens = 256;

    private static readonly string[] Usual =
    [
        "The quick brown fox jumps over the lazy dog.",
        "Please write a short answer to a customer whose parcel came two days late.",
        "def mean(values):\n    return sum(values) / len(values)\n",
        "In 1969, three astronauts flew to the Moon; 12 + 30 = 42.",
    ];

    public static Device Device => cuda.is_available() ? CUDA : CPU;

    public ScalarType DType => Precisions.Resolve(Precision, Device, weightsTrain: false);

    /// <summary>A model to be asked, with its tokenizer where it has one.</summary>
    public BaseModel Open(string path, TrustedRoot? root, Quantization? quantization = null) => BaseModel.Load(path, new LoadOptions(
        Device, DType, Quantization: quantization, Root: root, Task: null,
        RequireTokenizer: !File.Exists(Path.Combine(path, "config.json")) || File.Exists(Path.Combine(path, "tokenizer.json"))));

    /// <summary>The prompts in a model's tokens; without a tokenizer, a row of ids from all over its vocabulary.</summary>
    public IReadOnlyList<long[]> Encode(BaseModel model)
    {
        var most = Math.Min(MaxTokens, model.MaxLength);
        if (!model.HasTokenizer)
            return [[.. Enumerable.Range(1, Math.Min(24, most)).Select(i => i * 7919L % model.Config.VocabularySize)]];
        List<long[]> prompts = [.. (Texts.Count > 0 ? Texts : Usual).Select(t => model.Tokenizer.Encode(t, addSpecialTokens: true))
            .Where(ids => ids.Count > 0).Select(ids => ids.Take(most).Select(i => (long)i).ToArray())];
        return prompts.Count > 0 ? prompts : throw RunFailedException.Job("no prompt holds a token; give --prompt some text");
    }

    /// <returns>For each prompt (positions, vocabulary), or (1, labels) of a classifier: float32 on the processor.</returns>
    public static IReadOnlyList<Tensor> Logits(BaseModel model, IReadOnlyList<long[]> prompts, LoadedAdapter? adapter = null)
    {
        using var guard = no_grad();
        return [.. prompts.Select(ids =>
        {
            using var scope = NewDisposeScope();
            using var pass = new Pass([new Segment(0, ids.Length, null, adapter)], model.Device);
            var row = tensor(ids, device: model.Device);
            var logits = model.Transformer switch
            {
                CausalLM network => network.Logits(network.Forward(row, pass), adapter),
                SequenceClassifier network => network.Forward(row, pass),
                _ => model.Encoder.Forward(row, pass).to_type(ScalarType.Float32),
            };
            return logits.cpu().DetachFromDisposeScope();
        })];
    }
}
