using System.Text.Json;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests;

/// <summary>Small models and runs of the reference implementation, in <c>tests/fixtures</c>; real models where they lie beside the repository.</summary>
internal static class Fixtures
{
    public static readonly Device Cpu = new(TorchSharp.DeviceType.CPU);

    public static string Root { get; } = FindUp("Operator.sln");

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, "tests", "fixtures", .. parts]);

    public static BaseModel Llama(ScalarType dtype = ScalarType.Float32, string name = "llama") =>
        BaseModel.Load(Path("models", name), new LoadOptions(Cpu, dtype, RequireTokenizer: false));

    public static JsonElement Json(params string[] parts) => JsonDocument.Parse(File.ReadAllBytes(Path(parts))).RootElement;

    /// <summary>A case of the group of models, whatever it was made for.</summary>
    public static BaseModel Case(string name, ScalarType dtype = ScalarType.Float32) =>
        BaseModel.Load(Path("models", name), new LoadOptions(Cpu, dtype, RequireTokenizer: false, Task: null));

    /// <summary>
    /// A real model's folder. Where it is not there the test is skipped and says so; it fails where GRAFT_MODELS named the folder.
    /// </summary>
    public static string RealModel(string name)
    {
        var named = Environment.GetEnvironmentVariable("GRAFT_MODELS") is { Length: > 0 } value ? value : null;
        var models = named ?? System.IO.Path.Combine(Root, "..", "shared", "models");
        var folder = System.IO.Path.GetFullPath(System.IO.Path.Combine(models, name));
        if (named is not null && !Directory.Exists(folder))
            throw new InvalidOperationException($"GRAFT_MODELS is {named}, but there is no {folder}");
        Skip.IfNot(Directory.Exists(folder), $"the real model {folder} is not there; GRAFT_MODELS may name the folder that holds it");
        return folder;
    }

    /// <summary>Cases of a chat template; those of published models are not part of this repository and are skipped where they are absent.</summary>
    public static string ChatTemplate(string name)
    {
        if (!name.StartsWith("real_", StringComparison.Ordinal)) return Path("chat", name);
        var folder = System.IO.Path.GetFullPath(System.IO.Path.Combine(Root, "..", "shared", "fixtures", "chat", name));
        Skip.IfNot(Directory.Exists(folder), $"the published template {folder} is not there");
        return folder;
    }

    /// <summary>The real tokens of a padded batch, one after another, and the lengths of its rows.</summary>
    public static (long[] Ids, int[] Lengths) Rows(Tensor ids, Tensor mask)
    {
        var lengths = mask.sum(1).data<long>().Select(l => (int)l).ToArray();
        var flat = new List<long>();
        for (var r = 0; r < lengths.Length; r++) flat.AddRange(ids[r].data<long>().Take(lengths[r]));
        return ([.. flat], lengths);
    }

    public static double MaxDifference(Tensor a, Tensor b) => a.to_type(ScalarType.Float64).sub(b.to_type(ScalarType.Float64)).abs().max().item<double>();

    private static string FindUp(string marker)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, marker))) return folder.FullName;
        throw new InvalidOperationException($"{marker} is in no folder above {AppContext.BaseDirectory}");
    }
}
