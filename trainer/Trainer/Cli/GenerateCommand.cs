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
        var prompt = new Option<string[]>("--prompt")
        {
            HelpName = "TEXT",
            Description = "What to ask. May be given several times; all are answered together.",
            Required = true,
        };
        var maxTokens = new Option<int>("--max-tokens")
        {
            HelpName = "N",
            Description = "Longest answer in tokens.",
            DefaultValueFactory = _ => 128,
        }.AtLeast(1);
        var temperature = new Option<double>("--temperature")
        {
            HelpName = "T",
            Description = "0 takes the most likely token always, 1 draws from what the model predicts, more is wilder.",
            DefaultValueFactory = _ => 0,
        }.AtLeast(0);
        var seed = new Option<long>("--seed")
        {
            HelpName = "N",
            Description = "What is drawn with a temperature above 0; the same seed draws the same.",
            DefaultValueFactory = _ => 0,
        };
        var topK = new Option<int>("--top-k")
        {
            HelpName = "N",
            Description = "Draws only from so many of the most likely tokens; 0: from all.",
            DefaultValueFactory = _ => 0,
        }.AtLeast(0);
        var topP = new Option<double>("--top-p")
        {
            HelpName = "P",
            Description = "Draws only from the most likely tokens that together have this probability; 1: from all.",
            DefaultValueFactory = _ => 1,
        }.AboveZero(most: 1);
        var minP = new Option<double>("--min-p")
        {
            HelpName = "P",
            Description = "Draws only from tokens at least so many times as likely as the most likely one; 0: from all.",
            DefaultValueFactory = _ => 0,
        }.FromZero(most: 1);
        var penalty = new Option<double>("--repetition-penalty")
        {
            HelpName = "X",
            Description = "Makes tokens that prompt or answer hold already less likely where above 1, more likely below; 1: neither.",
            DefaultValueFactory = _ => 1,
        }.AboveZero(most: 100);
        var stop = new Option<string[]>("--stop")
        {
            HelpName = "TEXT",
            Description = "The answer ends before this text. May be given several times.",
        };
        stop.Validators.Add(result =>
        {
            if (result.Tokens.Any(t => t.Value.Length == 0)) result.AddError("--stop must not be empty");
        });
        var raw = new Option<bool>("--raw") { Description = "Takes the prompt as it is, without the model's chat template." };
        var command = new Verb("generate", "Answers prompts with a model, with or without an adapter, one answer a paragraph.", """
            A prompt is put into the model's chat template as the user's message, where the model has a template.

            Examples:
              graft-trainer generate --model base --prompt "My parcel never came."
              graft-trainer generate --model base --adapter adapters/first --prompt "My parcel never came." --prompt "Thank you!"
              graft-trainer generate --model model.gguf --raw --prompt "Once upon a time" --temperature 0.8 --top-p 0.9 --seed 7
            """);
        model.AddTo(command);
        foreach (var option in (Option[])[prompt, maxTokens, temperature, topK, topP, minP, penalty, seed, stop, raw]) command.Options.Add(option);
        command.SetAction(parsed => CommandLine.Guarded(() => torch.Run(() =>
        {
            TorchRuntime.Load();
            return Run(model.Of(parsed), parsed.GetValue(prompt)!, parsed.GetValue(raw),
                new SamplingOptions(parsed.GetValue(maxTokens), parsed.GetValue(temperature), parsed.GetValue(topP), parsed.GetValue(topK),
                    parsed.GetValue(seed), parsed.GetValue(stop), MinP: parsed.GetValue(minP), RepetitionPenalty: parsed.GetValue(penalty)));
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
