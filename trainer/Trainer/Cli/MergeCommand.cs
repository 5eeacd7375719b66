using System.CommandLine;
using System.Globalization;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Merging;
using Graft.Trainer.Runs;
using Graft.Trainer.Training;

namespace Graft.Trainer.Cli;

internal static class MergeCommand
{
    private static readonly (string Unit, long Bytes)[] Units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1), ("", 1)];

    public static Command Create(TorchThread torch)
    {
        var (adapters, parity) = (new CombinationFlags("--combine"), new ParityFlags());
        var model = new Option<string>("--model")
        {
            HelpName = "PATH|SOURCE",
            Description =
                "The base that it was trained on: a folder in Hugging Face layout, a .gguf file, or a source (hf://, s3://, oci://).",
            Required = true,
        };
        var output = new Option<string>("--output")
        {
            HelpName = "PATH",
            Description = "What to write: a folder, or a file that ends with .gguf. It must not be there yet.",
            Required = true,
        };
        var type = new Option<string?>("--type")
        {
            HelpName = "TYPE",
            Description = "Type of the weights: F32, F16, BF16, and for GGUF also Q8_0 and Q4_0. Default: as the base is published.",
        };
        var dequantize = new Option<bool>("--dequantize") { Description = "Writes the weights of a quantised base in full." };
        var quantization = new Option<string?>("--quantization")
        {
            HelpName = "NAME",
            Description = "nf4: the base was kept so while the adapter was trained, and merges as it was then.",
        }.AcceptOnlyFromAmong("nf4");
        var shards = new Option<string>("--max-shard-size")
        {
            HelpName = "SIZE",
            Description = "Most of one file of weights: bytes, or with KB, MB or GB.",
            DefaultValueFactory = _ => "5GB",
        };
        var command = new Verb("merge", "Writes a base model with an adapter in its weights, for engines that load no adapters.", $"""
            The result is a plain model: with its tokenizer and chat template, and with a manifest.json that says of what it was made. It
            appears complete or not at all, and is the same bytes for the same input.

            LoRA and IA3 can be merged, of several LoRAs a combination. Prompts, prefixes and bottlenecks cannot: no weight of the base
            says what they do. Nor is anything merged into quantised weights, because rounding them again loses what the adapter changed:
            --dequantize writes them in full, and the model that they were made from is the better --model.
            Where an adapter changes one of two tied weights (table of embeddings, output head), the result has both.

            Ways to combine several adapters (--combine):
            {CombinationFlags.Manual}

            {ParityFlags.Manual}

            Examples:
              graft-trainer merge --model base --adapter adapters/first --output merged
              graft-trainer merge --model base --adapter adapters/first --output first.gguf --type Q8_0 --max-difference 2
              graft-trainer merge --model base --adapter adapters/first --adapter adapters/second --weights 0.7,0.3 --combine cat \
                --output both --prompt "My parcel never came."
            """);
        command.Options.Add(model);
        adapters.AddTo(command);
        foreach (var option in (Option[])[output, type, dequantize, quantization, shards]) command.Options.Add(option);
        parity.AddTo(command);
        command.SetAction(parsed => CommandLine.Guarded(() =>
        {
            var request = new MergeRequest(
                parsed.GetValue(model)!, adapters.Adapters(parsed), adapters.Of(parsed), parsed.GetValue(output)!, parsed.GetValue(type),
                parsed.GetValue(dequantize), Quantizations.Named(parsed.GetValue(quantization)), parity.Of(parsed),
                Size(parsed.GetValue(shards)!));
            return torch.Run(() =>
            {
                TorchRuntime.Load();
                new MergeRun(request).Execute();
                return ExitCodes.Success;
            });
        }));
        return command;
    }

    private static long Size(string text)
    {
        var (unit, bytes) = Units.First(u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase));
        var isNumber = double.TryParse(text[..^unit.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
        return isNumber && number * bytes is >= 1 and < 1e18 ? (long)(number * bytes)
            : throw RunFailedException.Job($"--max-shard-size is '{text}'; it must be a size such as 5GB, 500MB or 1000000");
    }
}
