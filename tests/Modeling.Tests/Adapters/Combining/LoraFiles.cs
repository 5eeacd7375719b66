using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Graft.Modeling.Tests.Adapters.Combining;

/// <summary>Folders of LoRAs with values by chance.</summary>
internal static class LoraFiles
{
    /// <param name="modules">Their sizes and ranks.</param>
    /// <param name="change">Of the configuration.</param>
    public static string Write(
        string folder, ulong seed, double alpha, (string Module, int Out, int In, int Rank)[] modules, Action<JsonObject>? change = null)
    {
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        using var rng = new Generator(seed);
        var written = Fixtures.Path("peft", "lora_llama_all", "adapter_final", "adapter_config.json");
        var config = JsonNode.Parse(File.ReadAllText(written))!.AsObject();
        (config["r"], config["lora_alpha"]) = (modules.Max(m => m.Rank), alpha);
        config["target_modules"] = new JsonArray([.. modules.Select(m => (JsonNode)m.Module)]);
        change?.Invoke(config);
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), config.ToJsonString());
        SafetensorsWriter.Write(Path.Combine(folder, "adapter_model.safetensors"), modules.SelectMany(m => new[]
        {
            ($"base_model.model.{m.Module}.lora_A.weight", randn(m.Rank, m.In, generator: rng)),
            ($"base_model.model.{m.Module}.lora_B.weight", randn(m.Out, m.Rank, generator: rng)),
        }));
        return folder;
    }

    /// <summary>A module's two matrices as numbers, row by row.</summary>
    public static (float[,] A, float[,] B) Read(string folder, string module)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors"));
        return (Numbers($"base_model.model.{module}.lora_A.weight"), Numbers($"base_model.model.{module}.lora_B.weight"));
        float[,] Numbers(string name)
        {
            using var tensor = file.Map(name);
            var values = new float[tensor.size(0), tensor.size(1)];
            Buffer.BlockCopy(tensor.data<float>().ToArray(), 0, values, 0, values.Length * 4);
            return values;
        }
    }

    /// <summary>scale B A, in double precision.</summary>
    public static double[,] Product((float[,] A, float[,] B) pair, double scale = 1)
    {
        var product = new double[pair.B.GetLength(0), pair.A.GetLength(1)];
        for (var i = 0; i < product.GetLength(0); i++)
            for (var j = 0; j < product.GetLength(1); j++)
                for (var k = 0; k < pair.A.GetLength(0); k++) product[i, j] += scale * pair.B[i, k] * pair.A[k, j];
        return product;
    }

    public static double Largest(double[,] a, double[,] b)
    {
        Assert.Equal((a.GetLength(0), a.GetLength(1)), (b.GetLength(0), b.GetLength(1)));
        var largest = 0.0;
        for (var i = 0; i < a.GetLength(0); i++)
            for (var j = 0; j < a.GetLength(1); j++) largest = Math.Max(largest, Math.Abs(a[i, j] - b[i, j]));
        return largest;
    }
}
