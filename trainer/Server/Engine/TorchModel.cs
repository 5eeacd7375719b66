using System.Runtime.CompilerServices;
using Graft.Contract;
using Graft.Modeling;
using TorchSharp;

namespace Graft.Server.Engine;

/// <summary>The engine's model, computed by <see cref="TextGenerator"/>.</summary>
internal sealed class TorchModel : IEngineModel
{
    private readonly BaseModel model;
    private readonly TextGenerator generator;

    private TorchModel(BaseModel model, int? maxContext)
    {
        this.model = model;
        generator = new TextGenerator(model);
        Facts = new ModelFacts(model.Tokenizer, model.ChatTemplate, model.Digest,
            Math.Min(maxContext ?? model.MaxLength, model.MaxLength), model.Config.VocabularySize);
    }

    public ModelFacts Facts { get; }

    /// <param name="maxContext">Shorter than the model's own, to bound what one request can take; null: the model's.</param>
    /// <param name="root">What the model's files may not leave; null: its folder.</param>
    [MethodImpl(MethodImplOptions.NoInlining)] // it mentions torch, which must be loaded before it is compiled
    public static TorchModel Load(string path, Precision precision, int? maxContext, string? root = null, Quantization? quantization = null)
    {
        var device = torch.cuda_is_available() ? torch.CUDA : torch.CPU;
        var options = new LoadOptions(device, Precisions.Resolve(precision, device, weightsTrain: false), Quantization: quantization,
            Root: root is null ? null : TrustedRoot.At(root));
        return new TorchModel(BaseModel.Load(path, options), maxContext);
    }

    public IDisposable LoadAdapter(string name, string folder, string root) =>
        LoadedAdapter.Load(model, name, folder, TrustedRoot.At(root), verified: true);

    public IDisposable Start(IReadOnlyList<int> prompt, SamplingOptions options, IDisposable? adapter) =>
        new GenerationSequence(model, prompt, options, (LoadedAdapter?)adapter);

    public IReadOnlyList<Piece?> Step(IReadOnlyList<IDisposable> answers, int promptTokens)
    {
        var outputs = generator.Step([.. answers.Cast<GenerationSequence>()], promptTokens).ToDictionary(o => (IDisposable)o.Sequence);
        return [.. answers.Select(a => outputs.TryGetValue(a, out var o) ? new Piece(o.Id, o.Text, o.Finish, o.LogProb) : null)];
    }

    public void Dispose() => model.Dispose();
}
