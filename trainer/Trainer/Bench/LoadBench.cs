using System.CommandLine;
using System.Diagnostics;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Cli;
using Graft.Trainer.Tokenizers;
using Graft.Trainer.Training;
using static TorchSharp.torch;

namespace Graft.Trainer.Bench;

/// <summary>How long a model takes to open, against reading the same bytes once through.</summary>
internal static class LoadBench
{
    public static Command Create(TorchThread torch)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var models = new Option<string[]>("--model")
        {
            Description = "Folders or .gguf files to open. Absent: a model of 270 million weights, made for this.",
            AllowMultipleArgumentsPerToken = true,
        };
        var rounds = new Option<int>("--rounds") { Description = "Runs of each kind, taken in turns; the fastest counts.",
            DefaultValueFactory = _ => 5 }.AtLeast(1);
        var layers = new Option<int>("--layers") { Description = "Layers of the model that is made for this.",
            DefaultValueFactory = _ => 16 }.AtLeast(1);
        var command = new Command("load", """
            Opens models whose files are in the page cache. "as_stored" computes in the type of the file: safetensors are mapped
            and quantised GGUF is kept; "f32" converts; "read" reads the same bytes and does nothing with them; "ratio" is load by read.
            """) { json, models, rounds, layers };
        command.SetAction(parsed => CommandLine.Guarded(() => torch.Run(() =>
        {
            TorchRuntime.Load();
            Figure.Print(Measure(parsed.GetValue(models) ?? [], parsed.GetValue(rounds), parsed.GetValue(layers)), parsed.GetValue(json), Console.Out);
            return ExitCodes.Success;
        })));
        return command;
    }

    private static List<Figure> Measure(string[] models, int rounds, int layers)
    {
        if (models.Length > 0) return [.. models.SelectMany((m, i) => Figures(models.Length == 1 ? "load" : $"load.{i}", m, rounds))];
        var folder = Directory.CreateTempSubdirectory("graft-bench-");
        try
        {
            var stored = Path.Combine(folder.FullName, "model");
            Console.Error.WriteLine($"writing a model of {layers} layers");
            WriteModel(stored, layers);
            var quantised = Path.Combine(folder.FullName, "model.gguf");
            ModelConversion.ToGguf(stored, quantised, "Q8_0");
            return [.. Figures("load.safetensors_bf16", stored, rounds), .. Figures("load.gguf_q8_0", quantised, rounds)];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<Figure> Figures(string name, string path, int rounds)
    {
        string[] files = Directory.Exists(path) ? Directory.GetFiles(path, "*.safetensors") : [path];
        using (var probe = BaseModel.Load(path, Options(ScalarType.Float32)))
        {
            var stored = Directory.Exists(path) ? probe.Config.StoredType : ScalarType.Float32;
            var kinds = new (string Kind, Func<LoadOptions> Options)[]
            {
                ("as_stored", () => Options(stored)),
                ("f32", () => Options(ScalarType.Float32) with { Quantization = new Quantization { None = new NoQuantization() } }),
            };
            var best = Enumerable.Repeat(double.MaxValue, kinds.Length + 1).ToArray();
            for (var round = 0; round < rounds; round++)
            {
                best[0] = Math.Min(best[0], Seconds(() => Array.ForEach(files, Read)));
                for (var i = 0; i < kinds.Length; i++)
                    best[i + 1] = Math.Min(best[i + 1], Seconds(() => BaseModel.Load(path, kinds[i].Options()).Dispose()));
            }
            yield return new Figure($"{name}.bytes", files.Sum(f => new FileInfo(f).Length) / 1048576.0, "MiB");
            yield return new Figure($"{name}.read", best[0], "s");
            for (var i = 0; i < kinds.Length; i++)
            {
                yield return new Figure($"{name}.{kinds[i].Kind}", best[i + 1], "s");
                yield return new Figure($"{name}.{kinds[i].Kind}.ratio", best[i + 1] / best[0], "times");
            }
        }
    }

    private static LoadOptions Options(ScalarType dtype) => new(CPU, dtype, RequireTokenizer: false);

    private static double Seconds(Action work)
    {
        var started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static void Read(string path)
    {
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var buffer = new byte[1 << 22];
        for (long at = 0, count; (count = RandomAccess.Read(file, buffer, at)) > 0;) at += count;
    }

    private static void WriteModel(string folder, int layers)
    {
        const int hidden = 1024, inner = 4096, vocabulary = 512;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "dtype": "bfloat16", "hidden_size": {{hidden}},
                "intermediate_size": {{inner}},
             "num_hidden_layers": {{layers}}, "num_attention_heads": 16, "vocab_size": {{vocabulary}}, "tie_word_embeddings": true,
                 "rms_norm_eps": 1e-5}
            """);
        TokenizerFile.Write(Path.Combine(folder, "tokenizer.json"), BytePairTrainer.Train([], 256), ["<|endoftext|>"]);
        using var scope = NewDisposeScope();
        var weights = new List<(string, Tensor)> { ("model.embed_tokens.weight", Weight(vocabulary, hidden)),
            ("model.norm.weight", Weight(hidden)) };
        for (var i = 0; i < layers; i++)
        {
            foreach (var name in new[] { "input_layernorm", "post_attention_layernorm" }) weights.Add(($"model.layers.{i}.{name}.weight",
                Weight(hidden)));
            foreach (var name in new[] { "q_proj", "k_proj", "v_proj",
                "o_proj" }) weights.Add(($"model.layers.{i}.self_attn.{name}.weight", Weight(hidden, hidden)));
            foreach (var name in new[] { "gate_proj", "up_proj" }) weights.Add(($"model.layers.{i}.mlp.{name}.weight",
                Weight(inner, hidden)));
            weights.Add(($"model.layers.{i}.mlp.down_proj.weight", Weight(hidden, inner)));
        }
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), weights);
    }

    private static Tensor Weight(params long[] shape) => full(shape, 0.01f, ScalarType.BFloat16);
}
