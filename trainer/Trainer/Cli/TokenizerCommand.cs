using System.CommandLine;
using Graft.Contract;
using Graft.Trainer.Data;
using Graft.Trainer.Runs;
using Graft.Trainer.Tokenizers;

namespace Graft.Trainer.Cli;

internal static class TokenizerCommand
{
    public static Command Create()
    {
        var data = new Option<string[]>("--data")
        {
            HelpName = "FILE",
            Description = "Files to learn from (.jsonl, .csv, .txt): prompts, answers, messages and texts in them.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var size = new Option<int>("--vocabulary")
        {
            HelpName = "N",
            Description = "Tokens in all, special tokens included.",
            DefaultValueFactory = _ => 2048,
        };
        var special = new Option<string[]>("--special")
        {
            HelpName = "TOKEN",
            Description = "Special tokens, in the order of their ids; several may follow.",
            DefaultValueFactory = _ => ["<|endoftext|>"],
            AllowMultipleArgumentsPerToken = true,
        };
        var output = new Option<string>("--output")
        {
            HelpName = "FILE",
            Description = "The tokenizer.json to write.",
            DefaultValueFactory = _ => "tokenizer.json",
        };
        var command = new Verb("tokenizer", "Trains a byte-level BPE tokenizer on texts, for a model that begins from random weights.", """
            Every byte is a token, so that any text can be written; the rest of the vocabulary are the special tokens and the pairs that
            occur most. Fine-tuning a published model needs none of this: it has its tokenizer.

            Examples:
              graft-trainer tokenizer --data corpus.txt
              graft-trainer tokenizer --data corpus.jsonl --vocabulary 1024 --special "<|im_start|>" "<|im_end|>" \
                --output model/tokenizer.json
            """) { data, size, special, output };
        command.SetAction(parsed => CommandLine.Guarded(() =>
        {
            var tokens = parsed.GetValue(special)!;
            var wanted = parsed.GetValue(size) - tokens.Length;
            if (wanted < 256)
                throw RunFailedException.Job($"--vocabulary must be at least {256 + tokens.Length}: one for every byte and special token");
            var texts = parsed.GetValue(data)!.SelectMany(f => SampleReader.Read(new DataSource(f, f))).SelectMany(Texts);
            var trained = BytePairTrainer.Train(texts, wanted);
            TokenizerFile.Write(parsed.GetValue(output)!, trained, tokens);
            Console.WriteLine($"wrote {parsed.GetValue(output)} with {trained.Vocabulary.Count + tokens.Length} tokens");
            return ExitCodes.Success;
        }));
        return command;
    }

    private static IEnumerable<string> Texts(Sample sample) => sample switch
    {
        PromptSample row => [row.Prompt, row.Completion],
        ChatSample chat => chat.Messages.Select(m => m.Content),
        TextSample text => [text.Text],
        _ => [],
    };
}
