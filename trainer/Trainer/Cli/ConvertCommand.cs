using System.CommandLine;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Output;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;
using TorchSharp;

namespace Graft.Trainer.Cli;

internal static class ConvertCommand
{
    public static Command Create(TorchThread torch)
    {
        var model = new Option<string>("--model") { Description = "Folder in Hugging Face layout, or a .gguf file.", Required = true };
        var output = new Option<string>("--output")
        {
            Description = "What to write: a .gguf file from a folder, or a folder from a .gguf file. It must not be there yet.",
                Required = true,
        };
        var type = new Option<string?>("--type")
        {
            Description = "Type of the matrices: F32, F16, BF16, and for GGUF also Q8_0 and Q4_0. Absent: what the model has; F32 where "
                + "that would lose something.",
        };
        var command = new Command("convert", """
            Writes a model in the other layout, with its tokenizer and chat template: a Hugging Face folder as one GGUF file, or
            a GGUF file as a folder. It appears complete or not at all.

            Models: gemma2, gemma3_text, gpt2, llama, mistral, phi3, qwen2 and qwen3. Tokenizers: BPE over bytes, and SentencePiece's BPE
            with byte fallback. What llama.cpp would compute or cut otherwise is refused, but for the NFC normalization of Qwen's
            tokenizers, which llama.cpp's files never have.

              graft-trainer convert --model SmolLM2-135M-Instruct --output smollm2-q8_0.gguf --type Q8_0
            """) { model, output, type };
        command.SetAction(parsed =>
            CommandLine.Guarded(() => Run(parsed.GetValue(model)!, parsed.GetValue(output)!, parsed.GetValue(type), torch)));
        return command;
    }

    private static int Run(string model, string output, string? type, TorchThread torch)
    {
        var (source, target) = (Path.GetFullPath(model), Path.GetFullPath(output).TrimEnd('/'));
        var toGguf = target.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        if (toGguf != Directory.Exists(source))
            throw RunFailedException.Job("convert goes from a folder (--model) to a .gguf file (--output), or the other way");
        AtomicOutput.Write(target, (partial, _) => torch.Run(() =>
        {
            TorchRuntime.Load();
            return toGguf ? WriteFile(source, partial, type) : WriteFolder(source, partial, type);
        }));
        Console.WriteLine($"wrote {target}");
        return ExitCodes.Success;
    }

    private static int WriteFile(string folder, string path, string? type)
    {
        if (type is not null && !ModelConversion.GgufTypes.Contains(type))
            throw RunFailedException.Job(
                $"--type is '{type}'; for a GGUF file it is one of {string.Join(", ", ModelConversion.GgufTypes)}");
        ModelConversion.ToGguf(folder, path, type);
        return ExitCodes.Success;
    }

    private static int WriteFolder(string path, string folder, string? type)
    {
        torch.ScalarType? dtype = type switch
        {
            null => null,
            "F32" => torch.ScalarType.Float32,
            "F16" => torch.ScalarType.Float16,
            "BF16" => torch.ScalarType.BFloat16,
            _ => throw RunFailedException.Job($"--type is '{type}'; for a folder it is one of F32, F16, BF16"),
        };
        Directory.CreateDirectory(folder);
        ModelConversion.ToFolder(path, folder, dtype);
        return ExitCodes.Success;
    }
}
