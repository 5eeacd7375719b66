using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Cli;
using Graft.Trainer.Output;
using Graft.Trainer.Runs;
using static TorchSharp.torch;

namespace Graft.Trainer.Merging;

/// <param name="Model">A path or a source, as people name it.</param>
/// <param name="Combination">How several adapters become one; null: there is one.</param>
/// <param name="Output">A folder, or a file that ends with .gguf.</param>
/// <param name="Type">Of the weights written; null: as the base is published.</param>
/// <param name="Quantization">How the base was kept while the adapter was trained.</param>
internal sealed record MergeRequest(
    string Model, IReadOnlyList<string> Adapters, CombinationOptions? Combination, string Output, string? Type, bool Dequantize,
    Quantization? Quantization, ParityPrompts Prompts, long MaxShardBytes);

/// <summary>
/// Writes a base model with an adapter in its weights, and opens what it wrote to compare its answers with those of base and adapter side
/// by side. On the torch thread.
/// </summary>
internal sealed class MergeRun(MergeRequest request)
{
    private readonly string target = Path.GetFullPath(request.Output).TrimEnd('/');

    private bool ToGguf => target.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="RunFailedException">
    /// It is refused, cannot be written, or answers otherwise than it should; nothing is left then.
    /// </exception>
    public void Execute()
    {
        CheckType();
        foreach (var adapter in request.Adapters) OpenModel.CheckAdapter(adapter);
        AtomicOutput.Write(target, (output, scratch) =>
        {
            // Before hours of work: a disk that is read-only shows here.
            var folder = ToGguf ? Path.Combine(scratch, "folder") : output;
            Directory.CreateDirectory(folder);
            var adapter = Combined(scratch) ?? request.Adapters[0];
            var (expected, prompts, dtype) = Merge(adapter, folder);
            if (ToGguf) ModelConversion.ToGguf(folder, output, request.Type, Path.GetFileNameWithoutExtension(target));
            var found = Answers(output, prompts);
            try
            {
                Parity.Between(expected, found).Require(
                    request.Prompts.MaxDifference, request.Type ?? dtype, Precisions.Of(request.Prompts.DType));
            }
            finally
            {
                foreach (var tensor in expected.Concat(found)) tensor.Dispose();
            }
        });
        Console.WriteLine($"wrote {target}");
    }

    private void CheckType()
    {
        IReadOnlyCollection<string> types = ToGguf ? ModelConversion.GgufTypes : ["F32", "F16", "BF16"];
        if (request.Type is { } type && !types.Contains(type))
            throw RunFailedException.Job(
                $"--type is '{type}'; for a {(ToGguf ? "GGUF file" : "folder")} it is one of {string.Join(", ", types)}");
    }

    private string? Combined(string scratch)
    {
        if (request.Combination is not { } options) return null;
        var folder = Path.Combine(scratch, "combined");
        Directory.CreateDirectory(folder);
        LoraCombiner.Write(request.Adapters, options, folder);
        return folder;
    }

    /// <summary>Writes the merged folder.</summary>
    /// <returns>What base and adapter answer beside each other, to which prompts, and the type written.</returns>
    private (IReadOnlyList<Tensor> Expected, IReadOnlyList<long[]> Prompts, string Dtype) Merge(string path, string folder)
    {
        var (location, root) = OpenModel.Find(request.Model);
        using var model = OpenStored(location, root);
        var dtype = DtypeOf(model);
        using var adapter = LoadedAdapter.Load(model, Name(path), path, dtype: ScalarType.Float32);
        ModelMerging.Check(model, adapter, request.Dequantize);
        var (expected, prompts) = Answers(location, root, path);
        ModelMerging.ToFolder(model, adapter, folder, dtype, request.Dequantize, request.MaxShardBytes);
        var name = SafetensorsWriter.NameOf(dtype);
        DerivedManifests.Write(
            folder, ArtifactKind.Model, name, request.Adapters, request.Combination, new BaseModelReference(request.Model, model.Digest));
        return (expected, prompts, name);
    }

    /// <summary>As it is published, mapped rather than read: nothing of it is rounded or copied before it is merged.</summary>
    private BaseModel OpenStored(string path, TrustedRoot? root)
    {
        var model = BaseModel.Load(path, new LoadOptions(
            CPU, ModelConversion.StoredType(path), Quantization: request.Quantization, Root: root, Task: null, RequireTokenizer: false));
        if (model.PackedFormats is not [_, ..] formats || request.Dequantize) return model;
        model.Dispose();
        throw RunFailedException.Job($"{request.Model} is quantised ({string.Join(", ", formats)}), and rounding merged weights to that "
            + "again would lose what the adapter changed; add --dequantize to write them in full, or give the model that it was made from "
            + "as --model");
    }

    /// <summary>A GGUF file is made from a folder of the same type, but for types that such a folder does not have.</summary>
    private ScalarType DtypeOf(BaseModel model) => request.Type switch
    {
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        _ => model.Path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? model.DType : model.Config.StoredType,
    };

    private (IReadOnlyList<Tensor> Answers, IReadOnlyList<long[]> Prompts) Answers(string location, TrustedRoot? root, string path)
    {
        using var model = request.Prompts.Open(location, root, request.Quantization);
        using var adapter = LoadedAdapter.Load(model, Name(path), path);
        var prompts = request.Prompts.Encode(model);
        return (ParityPrompts.Logits(model, prompts, adapter), prompts);
    }

    private IReadOnlyList<Tensor> Answers(string merged, IReadOnlyList<long[]> prompts)
    {
        using var model = request.Prompts.Open(merged, root: null);
        return ParityPrompts.Logits(model, prompts);
    }

    private string Name(string path) => request.Combination is null ? path : string.Join(" + ", request.Adapters);
}
