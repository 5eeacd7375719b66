using System.Text.RegularExpressions;
using Graft.Contract;
using static TorchSharp.torch;

namespace Graft.Modeling.Adapters;

/// <summary>LoRA: see <see cref="LoraMethod"/>. Names in files are PEFT's.</summary>
internal sealed class LoraTuning : TuningMethod
{
    private const string Prefix = "base_model.model.";

    /// <summary>Those whose frozen weight PEFT stores beside an update of theirs.</summary>
    private static readonly string[] StoredWithUpdate = ["embed_tokens", "lm_head"];

    private readonly LoraMethod options;
    private readonly PeftLoraFields? read;
    private readonly List<(Regex Pattern, int Value)> ranks;
    private readonly List<(Regex Pattern, double Value)> alphas;

    /// <summary>What is stored in the place of a trainable tensor, and besides them.</summary>
    private readonly Dictionary<string, Func<Tensor>> stored = new(StringComparer.Ordinal);
    private LoraModules modules = new([], null, [], null, []);
    private bool doubled;

    /// <param name="read">Fields of the folder that the options come from; null: they are a job's.</param>
    /// <exception cref="TuningException">A pattern is no regular expression.</exception>
    public LoraTuning(LoraMethod options, PeftLoraFields? read = null)
    {
        (this.options, this.read) = (options, read);
        var problems = new List<string>();
        List<(Regex, T)> Compiled<T>(string field, IReadOnlyDictionary<string, T> patterns) =>
            [.. patterns.SelectMany(p => Compile(field, p.Key, problems) is { } found ? [(found, p.Value)] : Array.Empty<(Regex, T)>())];
        ranks = Compiled("rankPattern", options.RankPattern);
        alphas = Compiled("alphaPattern", options.AlphaPattern);
        foreach (var (pattern, rank) in options.RankPattern.Where(p => p.Value < 1))
            problems.Add($"method.lora.rankPattern: the rank of '{pattern}' is {rank}; it must be at least 1.");
        foreach (var (pattern, alpha) in options.AlphaPattern.Where(p => p.Value <= 0 || !double.IsFinite(p.Value)))
            problems.Add($"method.lora.alphaPattern: the alpha of '{pattern}' is {alpha}; it must be above 0.");
        if (problems.Count > 0) throw new TuningException(problems);
    }

    public override string Name => "lora";
    public override double DefaultLearningRate => 2e-4;

    public static LoraTuning Read(AdapterFolder folder)
    {
        var (options, fields) = PeftLoraReader.Read(folder);
        return new LoraTuning(options, fields);
    }

    private protected override Attachment Declare(BaseModel model, AdapterTensors tensors)
    {
        var network = model.Transformer;
        var saved = SavedNames(model);
        var rule = (read?.Rule ?? new LoraTargetRule
        {
            Names = options.Targets.Modules,
            AllLinear = options.Targets.Modules is null,
            Layers = options.Layers,
        }) with
        { Saved = [.. saved.Distinct(StringComparer.Ordinal)] };
        modules = LoraModules.Of(network, rule);
        CheckOptions(model);
        var dropout = tensors.Learn && options.Dropout > 0 ? new Dropout(options.Dropout, Rng!, this) : null;
        var attachment = new Attachment();
        foreach (var site in modules.Linears) attachment.Add(site, Update(site, tensors, dropout));
        if (modules.Embedding is { } embedding)
        {
            var (rank, scale) = (RankOf(embedding.Name), ScaleOf(embedding.Name));
            var key = Prefix + embedding.Name;
            var a = tensors.Take(key + ".lora_embedding_A", [rank, embedding.Table.Rows], Initial.Zero);
            var b = tensors.Take(key + ".lora_embedding_B", [embedding.Table.Columns, rank], Initial.Normal(1));
            attachment.Embedding = new LoraEmbedding(a, b, scale);
            if (doubled)
            {
                // The configuration then has twice the rank of everything.
                stored[key + ".lora_embedding_A"] = () => cat([a, zeros_like(a)]);
                stored[key + ".lora_embedding_B"] = () => cat([b, zeros_like(b)], 1);
            }
            Beside(key, embedding.Table, tensors);
        }
        foreach (var site in modules.SavedLinears) attachment.Add(site, ReplacedLinear.Take(tensors, site, Prefix + site.Name));
        if (modules.SavedEmbedding is { } whole)
            attachment.Embedding = ReplacedEmbedding.Take(tensors, whole.Table, Prefix + whole.Name);
        if (options.Bias == LoraBias.All) AddBiases(network, attachment, tensors);
        return attachment;
    }

    private LinearAdapter Update(LinearSite site, AdapterTensors tensors, Dropout? dropout)
    {
        var (rank, scale, key) = (RankOf(site.Name), ScaleOf(site.Name), Prefix + site.Name);
        var start = tensors is DrawnTensors ? LoraStart.Of(options.Initialization, site, rank, scale) : LoraStart.Uniform(site);
        var a = tensors.Take(key + ".lora_A.weight", [rank, site.InFeatures], start.A);
        var b = tensors.Take(key + ".lora_B.weight", [site.OutFeatures, rank], start.B, options.LoraPlusRatio);
        var layer = new LoraLayer(a, b, scale, dropout)
        {
            GivenUp = start.FromWeight ? (a.detach().clone().DetachFromDisposeScope(), b.detach().clone().DetachFromDisposeScope()) : null,
            Bias = options.Bias == LoraBias.None || site.Bias is null ? null
                : Bias(tensors, key + ".base_layer.bias", key + ".bias", site.Bias),
        };
        if (start.FromWeight)
        {
            doubled = true;
            stored[key + ".lora_A.weight"] = () => layer.Down(ScalarType.Float32);
            stored[key + ".lora_B.weight"] = () => layer.Up(ScalarType.Float32);
        }
        if (site.Name == "lm_head") Beside(key, site.Weight, tensors);
        return !options.Dora ? layer : new DoraLayer(layer, tensors.Take(
            key + ".lora_magnitude_vector", [site.OutFeatures], (_, _) => RowLengths.Squares(site.Matrix).sqrt_().cpu(),
            options.LoraPlusRatio, exact: true));
    }

    /// <summary>PEFT stores the frozen weight of embeddings and heads beside their update; a reader has no need of it.</summary>
    private void Beside(string key, WeightMatrix weight, AdapterTensors tensors)
    {
        var name = key + ".base_layer.weight";
        if (tensors is StoredTensors file) file.Ignore(name);
        var named = read?.Rule.Names ?? options.Targets.Modules ?? [];
        if (weight.Dense is { } dense && named.Intersect(StoredWithUpdate, StringComparer.Ordinal).Any()
            && StoredWithUpdate.Any(n => LoraTargetRule.Matches(key, n)))
            stored[name] = () => dense;
    }

    /// <summary>Biases where no update is.</summary>
    private void AddBiases(Transformer network, Attachment attachment, AdapterTensors tensors)
    {
        foreach (var site in LoraModules.AllLinears(network).Where(s => s.Bias is not null && attachment.At(s) is null))
            if (Bias(tensors, Prefix + site.Name + ".bias", null, site.Bias!) is { } own) attachment.Add(site, new BiasLinear(own));
        foreach (var site in network.Norms)
            if (Bias(tensors, Prefix + site.Name + ".bias", null, site.Bias) is { } own) attachment.Add(site, own);
    }

    /// <summary>A bias that trains; null where a file has none, as PEFT leaves out those of <c>lora_only</c>.</summary>
    private Tensor? Bias(AdapterTensors tensors, string name, string? before, Tensor own)
    {
        if (tensors is StoredTensors file && !file.Has(name))
        {
            if (before is null || !file.Has(before)) return null;
            name = before;
        }
        return tensors.Take(name, own.shape, Initial.CopyOf(own), options.LoraPlusRatio);
    }

    public override void Save(string folder, BaseModel model, string baseModelName)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var trained = Trainable.ToDictionary(t => t.Name, t => t.Parameter, StringComparer.Ordinal);
        foreach (var (name, make) in stored) trained[name] = make();
        SafetensorsWriter.Write(Path.Combine(folder, ArtifactLayout.AdapterWeights), trained.Select(t => (t.Key, t.Value)));
        PeftLoraConfig.Write(Path.Combine(folder, ArtifactLayout.AdapterConfig), new PeftLoraValues(
            doubled ? Doubled() : options, read?.Rule, TargetNames(), [.. SavedNames(model)],
            modules.Linears is [.., var last] && last.InputFirst, TrainedHead.TaskOf(model.Config), baseModelName));
    }

    private protected override AdapterFacts Describe(AdapterFacts facts)
    {
        var wrote = doubled ? Doubled() : options;
        return facts with
        {
            Rank = wrote.Rank,
            MaxRank = modules.Updated.Select(n => RankOf(n) * (doubled ? 2 : 1)).DefaultIfEmpty(wrote.Rank).Max(),
            Alpha = wrote.Alpha,
            RsLora = options.RsLora,
            HasPatterns = modules.Updated.Any(n => RankOf(n) != options.Rank || ScaleOf(n) != Scale(options.Alpha, options.Rank)),
            Dora = options.Dora,
            Bias = PeftLoraConfig.NameOf(options.Bias),
            ModulesToSave = LoraTargetNames.LastParts(modules.Saved),
            Targets = LoraTargetNames.LastParts(modules.Updated),
        };
    }

    /// <summary>
    /// What an adapter is stored with that began as a part of the weight: against the original weight it has twice the rank, and the
    /// same scale.
    /// </summary>
    private LoraMethod Doubled()
    {
        var more = options.RsLora ? Math.Sqrt(2) : 2;
        return options with
        {
            Rank = 2 * options.Rank,
            Alpha = more * options.Alpha,
            RankPattern = options.RankPattern.ToDictionary(p => p.Key, p => 2 * p.Value),
            AlphaPattern = options.AlphaPattern.ToDictionary(p => p.Key, p => more * p.Value),
        };
    }

    /// <summary>As PEFT has them: what was asked for, and for classifiers whatever their head may be called.</summary>
    private IEnumerable<string> SavedNames(BaseModel model) =>
        [.. options.ModulesToSave, .. TrainedHead.SavedNames(model)];

    private List<string> TargetNames() =>
        (read is null ? options.Targets.Modules : read.Rule.Names)?.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList()
            ?? LoraTargetNames.Shortest([.. modules.Updated], modules.Others);

    private int RankOf(string module) => ModulePattern.First(ranks, module) ?? options.Rank;

    private double ScaleOf(string module) => Scale(ModulePattern.First(alphas, module) ?? options.Alpha, RankOf(module));

    /// <summary>What the update counts: alpha / r, or alpha / sqrt(r).</summary>
    private double Scale(double alpha, int rank) => alpha / (options.RsLora ? Math.Sqrt(rank) : rank);

    /// <summary>Why a folder's rule fits no module.</summary>
    private string NoneOf(IReadOnlyList<LinearSite> linears)
    {
        var unknown = (options.Targets.Modules ?? []).Where(n => !linears.Any(l => LoraTargetRule.Matches(l.Name, n))).ToList();
        return unknown.Count == 0 ? "target_modules, exclude_modules and layers_to_transform leave no module of it."
            : string.Join(" ", unknown.Select(n => LoraTargetNames.Unknown("target_modules", n, linears.Select(l => l.Name))));
    }

    private void CheckOptions(BaseModel model)
    {
        var problems = read is null ? modules.Problems(options, model).ToList() : [];
        if (read is null && options.Rank > 0)
            foreach (var group in modules.Linears.Where(l => RankOf(l.Name) > Most(l)).GroupBy(l => (RankOf(l.Name), Most(l))))
                problems.Add($"method.lora.rank is {group.Key.Item1}, but {group.First().Name} is only {group.First().OutFeatures} x "
                    + $"{group.First().InFeatures}; the rank can be at most {group.Key.Item2}.");
        if (read is not null && options.Dora && modules.Embedding is not null)
            problems.Add($"use_dora is true with {modules.Embedding.Name} among target_modules, which is not supported.");
        if (!modules.Updated.Any() && problems.Count == 0)
            problems.Add(read is null ? "method.lora: no module is left to tune; name others in targets, or fewer in modulesToSave."
                : NoneOf(model.Transformer.Linears));
        if (problems.Count > 0) throw new TuningException(problems);
    }

    private static int Most(LinearSite site) => Math.Min(site.InFeatures, site.OutFeatures);

    private static Regex? Compile(string field, string pattern, List<string> problems)
    {
        try
        {
            return ModulePattern.Suffix(pattern);
        }
        catch (ArgumentException e)
        {
            problems.Add($"method.lora.{field}: '{pattern}' is no regular expression that can be used: {e.Message}");
            return null;
        }
    }
}
