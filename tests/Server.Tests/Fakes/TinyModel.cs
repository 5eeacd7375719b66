using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Graft.Modeling;

namespace Graft.Server.Tests.Fakes;

internal static class TorchBeforeTests
{
    /// <summary>Before any test's method that mentions torch is compiled.</summary>
    [ModuleInitializer]
    internal static void Load() => TorchRuntime.Load();
}

/// <summary>
/// The random Llama of <c>tests/fixtures</c> (2 layers, 384 tokens, 128 positions) in a folder of its own, with a tokenizer whose
/// tokens are single bytes and pairs of letters, and a ChatML template. Gone when disposed.
/// </summary>
internal sealed class TinyModel : IDisposable
{
    private const string Template =
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    public const string Beyond = "<image_soft_token>";
    private const int Vocabulary = 384;
    private static readonly string[] Special = ["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<5>", "<6>", "<7>"];

    public TinyModel()
    {
        var source = Path.Combine(Fixtures, "models", "llama");
        foreach (var name in (string[])["config.json", "model.safetensors"])
        {
            File.Copy(Path.Combine(source, name), Path.Combine(Folder, name));
        }
        File.WriteAllText(Path.Combine(Folder, "tokenizer.json"), Tokenizer().ToJsonString());
        var config = new JsonObject { ["eos_token"] = "</s>", ["pad_token"] = "<pad>", ["chat_template"] = Template };
        File.WriteAllText(Path.Combine(Folder, "tokenizer_config.json"), config.ToJsonString());
    }

    public static string Fixtures { get; } = FindFixtures();

    public string Folder { get; } = Directory.CreateTempSubdirectory("graft-tiny-").FullName;

    /// <summary>A trained adapter for it, as PEFT wrote it.</summary>
    public static string Adapter(string name) => Path.Combine(Fixtures, "peft", name, "adapter_final");

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static JsonObject Tokenizer()
    {
        var tokens = Special.Concat(ByteCharacters()).ToList();
        List<(string, string)> merges = [];
        foreach (var left in "abcdefghijklmnopqrstuvwxyz")
        {
            foreach (var right in "aeiou")
            {
                if (tokens.Count == Vocabulary) break;
                merges.Add(($"{left}", $"{right}"));
                tokens.Add($"{left}{right}");
            }
        }
        var vocabulary = new JsonObject();
        for (var i = 0; i < tokens.Count; i++) vocabulary[tokens[i]] = i;
        JsonObject byteLevel = new()
        {
            ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = false, ["use_regex"] = true,
        };
        return new JsonObject
        {
            ["version"] = "1.0",
            // The last as Gemma 3's for images: the model has no row for it.
            ["added_tokens"] = new JsonArray([.. Special.Append(Beyond).Select((t, i) => (JsonNode)new JsonObject
            {
                ["id"] = t == Beyond ? Vocabulary : i, ["content"] = t, ["special"] = true,
                ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false,
            })]),
            ["normalizer"] = null,
            ["pre_tokenizer"] = byteLevel,
            ["post_processor"] = byteLevel.DeepClone(),
            ["decoder"] = byteLevel.DeepClone(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. merges.Select(m => (JsonNode)$"{m.Item1} {m.Item2}")]),
            },
        };
    }

    /// <summary>The character that stands for each byte in byte-level BPE: itself where it is visible, else one from 256 upwards.</summary>
    private static IEnumerable<string> ByteCharacters()
    {
        var next = 256;
        for (var b = 0; b < 256; b++)
        {
            var visible = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            yield return ((char)(visible ? b : next++)).ToString();
        }
    }

    private static string FindFixtures()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Operator.sln"))) return Path.Combine(folder.FullName, "tests", "fixtures");
        }
        throw new InvalidOperationException($"Operator.sln is in no folder above {AppContext.BaseDirectory}");
    }
}
