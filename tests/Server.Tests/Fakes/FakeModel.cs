using Graft.Modeling;
using Graft.Server.Engine;

namespace Graft.Server.Tests.Fakes;

/// <summary>
/// Answers with the name of whoever answers ("base" or the adapter's), a colon, and the prompt; then it ends. It writes down what
/// was in each batch, and takes a step only when <see cref="Gate"/> is open.
/// </summary>
internal sealed class FakeModel : IEngineModel
{
    public const string Digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    public ModelFacts Facts { get; init; } = new(new ByteTokenizer(), ChatTemplate: null, Digest, MaxLength: 100, VocabularySize: 257);

    /// <summary>Closed: the engine stands before its next step.</summary>
    public ManualResetEventSlim Gate { get; } = new(initialState: true);

    /// <summary>For every step, the prompts in the batch. Read it when the engine stands still.</summary>
    public List<string[]> Batches { get; } = [];

    /// <summary>Adapters whose weights were given back.</summary>
    public List<string> Freed { get; } = [];
    public int OpenAnswers { get; private set; }
    public bool IsDisposed { get; private set; }

    /// <summary>What an adapter calls itself, from its name and folder.</summary>
    public Func<string, string, string> Voice { get; init; } = (name, _) => name;

    /// <summary>A prompt that makes the step fail in which it is.</summary>
    public string? Poison { get; init; }

    public IDisposable LoadAdapter(string name, string folder, string root) =>
        name.StartsWith("misfit", StringComparison.Ordinal)
            ? throw new ModelFormatException(Path.Combine(folder, "adapter_model.safetensors"), "rank 8 where the configuration says 4")
            : new Weights(this, Voice(name, folder));

    public IDisposable Start(IReadOnlyList<int> prompt, SamplingOptions options, IDisposable? adapter)
    {
        OpenAnswers++;
        return new Answer(this, Facts.Tokenizer.Decode(prompt), (adapter as Weights)?.Name ?? "base", options);
    }

    public IReadOnlyList<Piece?> Step(IReadOnlyList<IDisposable> answers, int promptTokens)
    {
        Gate.Wait(TimeSpan.FromSeconds(30));
        var batch = answers.Cast<Answer>().ToArray();
        Batches.Add([.. batch.Select(a => a.Prompt)]);
        if (batch.Any(a => a.Prompt == Poison)) throw new InvalidOperationException("a poisoned prompt");
        return [.. batch.Select(a => a.Next())];
    }

    public void Dispose() => IsDisposed = true;

    internal sealed record Weights(FakeModel Model, string Name) : IDisposable
    {
        public void Dispose() => Model.Freed.Add(Name);
    }

    private sealed class Answer(FakeModel model, string prompt, string who, SamplingOptions options) : IDisposable
    {
        private readonly string text = $"{who}:{prompt}";
        private int position;

        public string Prompt => prompt;

        public Piece Next()
        {
            if (position == text.Length) return new Piece(ByteTokenizer.End, "", FinishReason.Stop);
            var c = text[position++];
            var logProb = options.TopLogProbs is { } top
                ? new TokenLogProb(c, -0.5, [.. Enumerable.Range(c, top).Select(i => (i, -0.5 - i + c))])
                : null;
            return new Piece(c, c.ToString(), position == options.MaxTokens ? FinishReason.Length : null, logProb);
        }

        public void Dispose() => model.OpenAnswers--;
    }
}
