using System.CommandLine;
using Graft.Contract;
using Graft.Modeling;
using Graft.Trainer.Training;

namespace Graft.Trainer.Cli;

internal static class GenerateCommand
{
    public static Command Create(TorchThread torch)
    {
        var model = new ModelOptions();
        var prompt = new Option<string[]>("--prompt") { Description = "What to ask; several are answered together.", Required = true };
        var maxTokens = new Option<int>("--max-tokens") { Description = "Longest answer in tokens.", DefaultValueFactory = _ => 128 };
        var temperature = new Option<double>("--temperature") { Description = "0 takes the most likely token always." };
        var seed = new Option<long>("--seed") { Description = "Of the sampling." };
        var raw = new Option<bool>("--raw") { Description = "The prompt as it is, without the model's chat template." };
        var command = new Command("generate", """
            Answers prompts with a model, with or without an adapter, one answer a paragraph.

              graft-trainer generate --model base --adapter adapters/first --prompt "My parcel never came."
            """) { prompt, maxTokens, temperature, seed, raw };
        model.AddTo(command);
        command.SetAction(parsed => CommandLine.Guarded(() => torch.Run(() =>
        {
            TorchRuntime.Load();
            return Run(model.Of(parsed), parsed.GetValue(prompt)!, parsed.GetValue(raw),
                new SamplingOptions(parsed.GetValue(maxTokens), parsed.GetValue(temperature), Seed: parsed.GetValue(seed)));
        })));
        return command;
    }

    private static int Run(ModelPaths paths, string[] prompts, bool raw, SamplingOptions sampling)
    {
        using var open = new OpenModel(paths);
        var template = raw ? null : open.Model.ChatTemplate;
        var ids = prompts.Select(prompt => template is null
            ? open.Model.Tokenizer.Encode(prompt, addSpecialTokens: true)
            : open.Model.Tokenizer.Encode(template.Render([new ChatMessage("user", prompt)], addGenerationPrompt: true))).ToList();
        var results = new TextGenerator(open.Model).GenerateBatch(ids, sampling, open.Adapter);
        Console.WriteLine(string.Join("\n\n", results.Select(r => r.Text)));
        return ExitCodes.Success;
    }
}
