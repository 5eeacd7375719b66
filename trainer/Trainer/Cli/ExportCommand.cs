using System.CommandLine;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Merging;
using Graft.Trainer.Output;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;

namespace Graft.Trainer.Cli;

internal static class ExportCommand
{
    public static Command Create(TorchThread torch)
    {
        var parity = new ParityFlags();
        var adapter = new Option<string>("--adapter")
        {
            HelpName = "FOLDER",
            Description = "A LoRA as PEFT writes it.",
            Required = true,
        };
        var model = new Option<string>("--model")
        {
            HelpName = "PATH|SOURCE",
            Description = "Its base: a folder in Hugging Face layout, a .gguf file, or a source (hf://, s3://, oci://).",
            Required = true,
        };
        var output = new Option<string>("--output")
        {
            HelpName = "FILE",
            Description = "The .gguf file to write. It must not be there yet.",
            Required = true,
        };
        var type = new Option<string>("--type")
        {
            HelpName = "TYPE",
            Description = $"Type of the matrices: {string.Join(", ", GgufLoraExport.Types)}.",
            DefaultValueFactory = _ => "F32",
        }.AcceptOnlyFromAmong([.. GgufLoraExport.Types]);
        var command = new Verb("export", "Writes a LoRA as a GGUF file, which llama.cpp loads beside its base.", $"""
            As llama.cpp's convert_lora_to_gguf.py, and right also where that is not: rsLoRA, and scales that differ between modules.
            What llama.cpp has no place for is refused by name: DoRA, biases, modules that were trained whole, tables of embeddings.
            Such an adapter can be merged into its base: graft-trainer merge --output merged.gguf.
            To serve the result: llama-server --model base.gguf --lora first.gguf

            {ParityFlags.Manual}

            Examples:
              graft-trainer export --adapter adapters/first --model base --output first.gguf
            """);
        foreach (var option in (Option[])[adapter, model, output, type]) command.Options.Add(option);
        parity.AddTo(command);
        command.SetAction(parsed => CommandLine.Guarded(() =>
        {
            var (path, prompts) = (parsed.GetValue(adapter)!, parity.Of(parsed));
            OpenModel.CheckAdapter(path);
            var target = Path.GetFullPath(parsed.GetValue(output)!);
            if (!target.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
                throw RunFailedException.Job($"--output is '{parsed.GetValue(output)}'; it must end with .gguf");
            AtomicOutput.Write(target, (file, _) => torch.Run(() =>
            {
                TorchRuntime.Load();
                Write(path, parsed.GetValue(model)!, file, parsed.GetValue(type)!, prompts);
                return ExitCodes.Success;
            }));
            Console.WriteLine($"wrote {target}");
            return ExitCodes.Success;
        }));
        return command;
    }

    private static void Write(string adapter, string named, string file, string type, ParityPrompts prompts)
    {
        var (location, root) = OpenModel.Find(named);
        using var model = prompts.Open(location, root);
        using var folder = LoadedAdapter.Load(model, adapter, adapter);
        GgufLoraExport.Write(adapter, model.Path, file, type);
        using var written = LoadedAdapter.Load(model, adapter, file);
        var ids = prompts.Encode(model);
        using var scope = TorchSharp.torch.NewDisposeScope();
        var (expected, found) = (ParityPrompts.Logits(model, ids, folder), ParityPrompts.Logits(model, ids, written));
        Parity.Between(expected, found).Require(prompts.MaxDifference, type, Precisions.Of(prompts.DType));
        foreach (var logits in expected.Concat(found)) logits.Dispose();
    }
}
